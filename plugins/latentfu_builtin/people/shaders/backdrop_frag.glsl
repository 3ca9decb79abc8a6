#version 330
// What lies behind, out of focus: a studio wall, a room with a window and lamps, a garden.
in vec2 u;
layout(location = 0) out vec4 color;
layout(location = 1) out vec2 truth;
uniform vec3 low, high, seed;
uniform float scene;    // 0 studio, 1 room, 2 garden
uniform vec2 from;      // where the key light comes from
float hash(vec2 p) { vec3 q = fract(vec3(p.xyx) * .1031); q += dot(q, q.yzx + 33.33); return fract((q.x + q.y) * q.z); }
float noise(vec2 x) {
    vec2 i = floor(x), f = fract(x);
    f = f * f * (3. - 2. * f);
    return mix(mix(hash(i), hash(i + vec2(1, 0)), f.x), mix(hash(i + vec2(0, 1)), hash(i + 1.), f.x), f.y);
}
vec3 discs(vec2 x, float size, float much, vec3 a, vec3 b) {
    vec3 sum = vec3(0);
    vec2 cell = floor(x / size);
    for (int i = -1; i <= 1; i++) for (int j = -1; j <= 1; j++) {
        vec2 k = cell + vec2(i, j) + seed.xy * 91.;
        vec2 at = (cell + vec2(i, j) + vec2(hash(k), hash(k + 7.))) * size;
        float r = size * (.22 + .22 * hash(k + 3.)), d = length(x - at);
        float edge = smoothstep(r, r * .55, d) * (.7 + .3 * smoothstep(r * .5, r, d));
        sum += edge * step(1. - much, hash(k + 11.)) * mix(a, b, hash(k + 5.)) * (.3 + .7 * hash(k + 13.));
    }
    return sum;
}
void main() {
    float g = length(u - .5 * from - vec2(0, .1));
    vec3 c = mix(high, low, smoothstep(.1, 1.5, g)) * (.96 + .08 * noise(u * 1.7 + seed.xy * 9.));
    if (scene > 1.5) {
        float leaves = noise(u * 2.2 + seed.xy * 40.) * .6 + noise(u * 4.6 + seed.yz * 40.) * .4;
        c = mix(low * .7, high, smoothstep(.25, .8, leaves + .22 * u.y));
        c += discs(u + .2 * seed.xy, .55, .55, high, vec3(1., .95, .75)) * .12 + discs(u, .33, .4, high, vec3(.9, 1., .7)) * .08;
    } else if (scene > .5) {
        float wall = smoothstep(-.22, .22, u.x - (seed.x - .5) * 1.2);
        c = mix(low, high * .9, wall) * (.85 + .2 * u.y);
        vec2 w = vec2((seed.y < .5 ? -.72 : .72), .45);
        vec2 q = abs(u - w) - vec2(.24 + .14 * seed.z, .42);
        float pane = smoothstep(.22, -.20, max(q.x, q.y)) * (1. - .25 * smoothstep(.12, .0, abs(u.x - w.x)));
        c = mix(c, vec3(.85, .9, .95) * (.35 + .7 * dot(high, vec3(.4))), pane * .8);
        q = abs(u - vec2(-w.x * .95, -.1 + .5 * seed.x)) - vec2(.30, .035 + .05 * seed.y);
        c = mix(c, low * .45, .6 * smoothstep(.1, -.1, max(q.x, q.y)));
        c += discs(u + seed.yz, .5, .28, vec3(1., .75, .45), vec3(1., .9, .7)) * .13;
    }
    c *= 1. - .10 * dot(u, u);
    color = vec4(pow(1. - exp(-1.3 * max(c, 0.)), vec3(1. / 2.2)), 1.);
    truth = vec2(0., 100.);
}
