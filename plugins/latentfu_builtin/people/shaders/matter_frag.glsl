// Teeth, gums, cloth, metal, plastic, knitwear: one plain surface with a few switches.
in vec2 X; in vec3 Q;
uniform vec3 base;
uniform float gloss, region, weave, ribs, lash, tooth, rolled, placket;
uniform vec4 cut;       // clothes: height of the neckline at the middle, its width, V or round, collar
uniform vec3 origin;
float crease(float run, float x, float y) {
    float a = noise(vec3(run * 34., x * 7., y * 8.)), b = noise(vec3(run * 75. + 4., x * 13., y * 14.));
    return .65 * smoothstep(.35, .95, 1. - abs(2. * a - 1.)) + .35 * smoothstep(.4, 1., 1. - abs(2. * b - 1.));
}
void main() {
    vec3 n = normalize(N), v = normalize(eye - P);
    if (dot(n, v) < 0.) n = -n;
    vec3 c = base;
    if (lash > .5) {        // hairs: full at the root, apart at the tips
        float along = X.x, k = X.y * 3600. + along * 1.1, gap = abs(fract(k) - .5) * 2.;
        if (along > .40 + .45 * hash(vec3(floor(k), 1., 2.)) || gap > .9 - along) discard;
    }
    if (tooth > .5) {       // gaps between the teeth, gums above them, the mouth's dark at the sides
        float x = abs(X.y) * 1000., gap = 0.;
        gap = exp(-pow(x / .35, 2.)) + exp(-pow((x - 8.3) / .4, 2.)) + exp(-pow((x - 14.6) / .45, 2.)) + exp(-pow((x - 21.) / .5, 2.)) + exp(-pow((x - 27.) / .6, 2.));
        float gum = smoothstep(.42, .30, X.x + .10 * (1. - min(gap, 1.)) - .05);
        c *= mix(vec3(1), vec3(.45, .34, .28), clamp(gap * .42, 0., 1.));
        c = mix(c, vec3(.42, .13, .12), gum);
        c *= mix(vec3(1.), vec3(.10, .06, .05), smoothstep(10., 26., x)) * mix(.75, 1., smoothstep(.2, .8, X.x));
        n = normalize(n + .5 * vec3(sign(X.y) * sin(x * .75), 0, 0) * (1. - gum));
    }
    float edge = 1.;
    if (cut.y > 0.) {
        vec2 q = (Q - origin).xz;
        float across = abs(q.x) / cut.y;
        float line = cut.x + min(mix(across * across, across, cut.z) * (.05 + .05 * cut.z), .05 + .03 * cut.z);
        line = mix(line, max(line, cut.w), smoothstep(-.02, .07, (Q - origin).y));
        edge = (line - q.y);
        if (edge < 0.) discard;
        float band = smoothstep(.010, .0085, edge);
        n = normalize(n + .45 * band * vec3(0, 0, smoothstep(.006, .0, edge) - .5) + .03 * (noise(Q * 1600.) - .5));
        // folds run from the neck outwards and down
        float run = q.y + .45 * abs(q.x), one = crease(run, q.x, Q.y), two = crease(run + .004, q.x, Q.y);
        n = normalize(n + clamp((one - two) * 1.6, -.55, .55) * vec3(.45 * sign(q.x), -.3, 1) * (1. - band));
        c *= 1. - .10 * one * one * (1. - band);
        // a shirt's buttons stand in a strip that is sewn on
        float strip = smoothstep(.0012, .0, abs(abs(q.x) - .014)), rest1 = mod(edge, .042) - .021;
        float button = smoothstep(.0048, .0038, length(vec2(q.x, rest1)));
        c *= 1. - placket * .35 * strip * step(.004, edge);
        c = mix(c, c * .4 + .25, placket * button * .8);
        c *= (1. - .16 * band * (.5 + .5 * sin(atan(q.x, .12) * 420.))) * (1. - .35 * smoothstep(.012, .0095, edge) * smoothstep(.0075, .0095, edge));
    }
    c *= 1. + weave * .25 * (noise(Q * vec3(1100., 1100., 1500.)) - .5);
    if (ribs < 0.) {        // six panels, sewn together
        float k = abs(fract(X.y * 6.) - .5) * 2.;
        c *= 1. - .45 * smoothstep(.965, .99, k);
        n = normalize(n + .35 * smoothstep(.90, 1., k) * sign(fract(X.y * 6.) - .5) * vec3(cos(X.y * 6.28), sin(X.y * 6.28), 0));
    }
    if (ribs > 0.) {
        float k = sin(X.y * 190.);
        n = normalize(n + ribs * .30 * vec3(cos(X.y * 6.28) , sin(X.y * 6.28), 0) * cos(X.y * 190.));
        c *= .82 + .18 * k;
    }
    float s = lit(.002, .0018), d = dot(n, key), w = lash > .5 ? 1. : tooth > .5 ? .8 : X.x;
    vec3 day = clamp((d + .12) / 1.12, 0., 1.) * mix(.06, 1., s) * keyColor + clamp(dot(n, fill) * .65 + .35, 0., 1.) * fillColor * w + ambient(n) * w;
    vec3 glow = c * day * mix(.25, 1., w);
    float shine = pow(max(dot(n, normalize(key + v)), 0.), 60.);
    glow += gloss * shine * keyColor * s * .9 + gloss * .25 * pow(1. - max(dot(n, v), 0.), 4.) * sky;
    glow += c * clamp(dot(n, rim), 0., 1.) * rimColor * .5;
    finish(glow, region);
}
