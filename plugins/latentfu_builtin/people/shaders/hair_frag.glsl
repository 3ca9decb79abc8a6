// Hair after Kajiya and Kay, with Marschner's two highlights: white one shifted to the root,
// colored one shifted to the tip.
in vec4 K; in float cover;
uniform vec3 base;
uniform float region, shine, tipLight, soft;
void main() {
    vec3 t = normalize(N), v = normalize(eye - P);
    float s = lit(.0028, .0022);
    float tl = dot(t, key), sl = sqrt(max(1. - tl * tl, 0.));
    float tv = dot(t, v), sv = sqrt(max(1. - tv * tv, 0.));
    float white = pow(max(sl * sv - (tl + .10) * tv, 0.), 70.), tinted = pow(max(sl * sv - (tl - .14) * tv, 0.), 20.);
    vec3 c = base * K.z * mix(.8, 1. + tipLight, K.y);
    float occl = K.w * mix(.55, 1., smoothstep(0., .35, K.y));
    float f = sqrt(max(1. - pow(dot(t, fill), 2.), 0.)), r = sqrt(max(1. - pow(dot(t, rim), 2.), 0.));
    vec3 glow = c * (sl * .62 * mix(.22, 1., s) * keyColor + .5 * f * fillColor + .75 * mix(ground, sky, .6)) * occl;
    glow += shine * (vec3(.016) * white * K.z + c * .8 * tinted) * keyColor * mix(.08, 1., s) * occl;
    vec3 out3 = v - rim * dot(v, rim);
    glow += rimColor * (c * .7 + .006) * pow(r, 6.) * .35 * clamp(.6 - dot(v, rim), 0., 1.) * occl;
    finish(glow, region);
    // drawn a second time as a veil, tips and loose strands fade out
    if (soft > .5) color.a = min(cover * 1.25, 1.) * (1. - .85 * smoothstep(.45, 1., K.y)) * soft;
    else if (K.y > .80 + .2 * fract(K.z * 37.)) discard;
}
