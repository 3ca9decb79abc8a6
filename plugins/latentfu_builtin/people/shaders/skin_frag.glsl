// Skin: wrapped light by color in place of scattering, two layers of gloss, everything painted.
in vec2 X; in vec3 Q; in vec4 A; in vec4 B;
uniform vec3 base, hairColor, lipColor;
uniform float wrinkles, freckles, blush, stubble, lipstick, melanin, makeup, pores, blemishes;
uniform vec3 seed, centerL, centerR;
uniform float radius, browWide;
void main() {
    vec3 n = normalize(N), v = normalize(eye - P);
    float thin = smoothstep(.008, .026, abs(Q.x)), lip = smoothstep(mix(.42, .24, thin), mix(.66, .46, thin), A.x), nose = A.z, ear = smoothstep(.3, .6, B.x);
    // height of the fine relief, bent into the normal
    float grain = noise(Q * 1500.) - .5, patchy = clouds(Q * 75. + seed * 5.) - .5, fine = noise(Q * 620. + 3.) - .5;
    float bent = Q.z + .010 * noise(vec3(Q.x * 25., 2., Q.z * 20.));
    float lines = .5 * sin(bent * 830.) * smoothstep(.25, .6, noise(vec3(Q.x * 40., 5., Q.z * 60.)));       // forehead: across
    float fans = noise(vec3(Q.x * 260., Q.y * 120., Q.z * 420.)) - .5;      // eyes and cheeks: fine
    float brow = smoothstep(.022, .04, Q.z) * (1. - smoothstep(.075, .09, Q.z)) * smoothstep(-.02, -.05, Q.y);
    vec3 relief = vec3(grain, noise(Q * 1500. + 9.) - .5, noise(Q * 1500. + 17.) - .5) * .16 * pores;
    relief += wrinkles * (vec3(0, 0, lines) * brow * .75 + vec3(fans, 0, fans) * (.36 + .50 * B.y) * (1. - lip));
    relief += lip * vec3(noise(vec3(Q.x * 1400., Q.y * 200., Q.z * 160.)) - .5, 0, 0) * .35;
    vec3 b = normalize(n + relief);
    // color
    vec3 c = base * (1. + (.30 - .16 * melanin) * patchy * vec3(.45, 1., 1.05) + (.12 * grain + .15 * fine * vec3(.6, 1., 1.)) * pores);
    // yellower at the forehead, redder in the middle, bluer where a beard would grow
    c *= mix(vec3(1), vec3(1.01, 1.02, .95), smoothstep(.02, .05, Q.z));
    c *= 1. - .10 * exp(-dot(Q.xz + vec2(0, .045), Q.xz + vec2(0, .045)) / .0011) * vec3(0, .7, .6);
    float flush = clamp(.75 * A.y * A.y + .55 * nose * nose + .5 * ear, 0., 1.) * (1. - lip);
    c *= 1. - (.10 + .38 * blush) * flush * vec3(.04, .85, .75) * (1. - .5 * melanin);
    c *= 1. - (.12 + .60 * wrinkles) * B.y * B.y * vec3(.6, .85, .75);
    c *= 1. - .16 * smoothstep(.35, .9, B.z) * vec3(.5, .9, .8);
    float dots = smoothstep(.56, .74, noise(Q * 300. + seed * 31.)) * smoothstep(.3, .55, clouds(Q * 60. + seed)) ;
    float middle = exp(-pow((Q.z + .022) / .035, 2.)) * smoothstep(.01, -.02, Q.y) * (1. - lip);
    c *= 1. - freckles * dots * (.15 + .85 * middle) * vec3(.32, .50, .60);
    c *= 1. - wrinkles * .28 * smoothstep(.62, .72, clouds(Q * 70. + 3. * seed)) * vec3(.4, .6, .7);
    c *= 1. - wrinkles * .95 * brow * smoothstep(.08, -.30, lines);
    // moles, dark and sharp, and red spots, soft
    vec3 cell = floor(Q * 70. + seed * 7.), at = fract(Q * 70. + seed * 7.) - .5;
    float pick = hash(cell + 3.), mole = smoothstep(.16, .10, length(at + .5 * (vec3(hash(cell + 5.), hash(cell + 7.), hash(cell + 9.)) - .5)));
    c *= 1. - blemishes * mole * step(.93, pick) * (1. - lip) * vec3(.45, .62, .68);
    float sore = smoothstep(.70, .82, noise(Q * 120. + seed * 13.)) * smoothstep(.45, .6, noise(Q * 35. + seed * 3.));
    c *= 1. - blemishes * .5 * sore * (1. - lip) * vec3(.05, .6, .55);
    float shadowed = smoothstep(.30, .85, B.z) * (1. - lip);
    c = mix(c, c * vec3(.30, .20, .26), .75 * makeup * shadowed);
    vec3 natural = base * vec3(.80, .50, .50);
    vec3 lips = mix(natural, lipColor, lipstick);
    c = mix(c, lips * (.92 + .3 * (noise(vec3(Q.x * 1400., 0, Q.z * 160.)) - .5)), lip * .9);
    c = mix(c, mix(c, hairColor, .5) * vec3(.86, .9, .94), stubble * clamp(-X.y, 0., 1.) * (.55 + .9 * smoothstep(.45, .7, noise(Q * 1300.))));
    c = mix(c, mix(hairColor * .6, c * .35, .12), smoothstep(.15, .95, X.y + .35 * fine));
    c *= mix(vec3(1), vec3(.30, .16, .14), smoothstep(.75, .2, X.x) );
    // the shadow that a brow's hairs make together
    float across = abs(Q.x), arch = .0182 + min((across - .010) * .23, .0023) + clamp((across - .020) * .128, 0., .0023) - max(across - .038, 0.) * .200;
    float tall = (across < .018 ? .0034 : mix(.0034, .0009, clamp((across - .018) / .037, 0., 1.))) * (1. + .35 * browWide) * 1.25;
    float browed = exp(-pow((Q.z - arch) / tall, 2.)) * clamp((across - .010) / .006, 0., 1.) * clamp((.056 - across) / .008, 0., 1.) * step(Q.y, .06);
    c = mix(c, hairColor * .7 + c * .12, .62 * browed * (.75 + .5 * noise(vec3(Q.x * 900., 3., Q.z * 500.))));
    // the rim of the lids: lashes' roots darken the upper one, the lower one is moist and pink
    vec3 off = P - (distance(P, centerL) < distance(P, centerR) ? centerL : centerR);
    float rim1 = length(off) / radius;
    float upper = smoothstep(-.22, .02, off.z / radius);
    c *= mix(vec3(1), vec3(.16, .12, .11), smoothstep(1.31, 1.24, rim1) * upper);
    c *= mix(vec3(1), vec3(.80, .55, .50), smoothstep(1.24, 1.16, rim1) * (1. - upper));
    // light
    float s = lit(.0018, .0048), d = dot(n, key), w = X.x;
    vec3 wrap = vec3(.46, .22, .15) * (1. - .5 * melanin);
    vec3 shade = clamp((d + wrap) / (1. + wrap), 0., 1.);
    // blood reddens the edge of a shadow
    shade *= mix(vec3(.13, .03, .015) * clamp(d + .4, 0., 1.), vec3(1), pow(vec3(s), vec3(.62, .95, 1.05)));
    vec3 day = shade * keyColor + clamp(dot(n, fill) * .65 + .35, 0., 1.) * fillColor * w + ambient(b) * w;
    float facing = max(dot(b, v), 0.), edge = pow(1. - facing, 4.);
    vec3 glow = c * day;
    // gloss: a broad oily layer and a narrow wet one (lips, nose, brow bone)
    vec3 h = normalize(key + v);
    float nh = max(dot(b, h), 0.), wet = .22 + .9 * lip * (.4 + .6 * lipstick) + .35 * nose * nose;
    float f = .028 + .97 * pow(1. - max(dot(v, h), 0.), 5.);
    float gloss = (pow(nh, 10.) * .42 + pow(nh, 60.) * 2.0 * wet) * s * clamp(d * 3., 0., 1.);
    glow += f * gloss * keyColor * 2.7 * (.75 + .5 * (fine + .5) + .5 * grain);
    h = normalize(fill + v);
    glow += f * pow(max(dot(b, h), 0.), 18.) * fillColor * 1.6 * w;
    float back = clamp(dot(n, rim), 0., 1.);
    glow += (c * .8 + .05) * back * (.25 + edge * 2.5) * rimColor * w + edge * .07 * sky * w;
    glow += ear * c * vec3(.5, .08, .05) * clamp(-d, 0., 1.) * keyColor * .2;
    float region = browed > .30 ? 3. : 1.;
    if (B.w > .5) region = 9.;
    if (ear > .25) region = 8.;
    // the nose: a wedge from between the eyes to the nostrils, on the head at rest
    float wide = mix(.010, .0195, clamp(-Q.z / .045, 0., 1.));
    if (abs(Q.x) < wide && Q.z < .004 && Q.z > -.0515 && Q.y < .026) region = 4.;
    if (lip > .5) region = 5.;
    if (X.y > .75) region = 7.;
    finish(glow, region);
}
