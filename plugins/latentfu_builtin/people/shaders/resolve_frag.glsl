#version 330
// Averages the large drawing on the card and finishes it as a camera does: a slight fall of light
// to the corners, a print's contrast, a sensor's grain. The truth is that of the middle sample.
layout(location = 0) out vec4 color;
layout(location = 1) out vec2 truth;
uniform sampler2D large, largeTruth;
uniform int times;
uniform float seed;
float hash(vec3 p) { p = fract(p * .1031); p += dot(p, p.zyx + 31.32); return fract((p.x + p.y) * p.z); }
void main() {
    ivec2 at = ivec2(gl_FragCoord.xy) * times;
    vec3 sum = vec3(0);
    for (int i = 0; i < times; i++) for (int j = 0; j < times; j++) sum += texelFetch(large, at + ivec2(i, j), 0).rgb;
    vec3 c = sum / float(times * times);
    vec2 u = 2. * gl_FragCoord.xy * float(times) / vec2(textureSize(large, 0)) - 1.;
    c *= 1. - .045 * dot(u, u);
    float y = dot(c, vec3(.3, .59, .11));
    c = mix(vec3(y), c, .97);
    c = mix(c, c * c * (3. - 2. * c), .42);
    c = c * vec3(1., .992, .975) + vec3(.006, .008, .014) * (1. - y);
    vec3 grain = vec3(hash(vec3(gl_FragCoord.xy, seed)), hash(vec3(gl_FragCoord.yx, seed + 11.)), hash(vec3(gl_FragCoord.xy, seed + 23.)));
    c += (.7 * (grain.x + grain.y - 1.) + .3 * (grain - .5)) * .024 * (.4 + sqrt(y) * (1. - .6 * y));
    color = vec4(c, 1.);
    truth = texelFetch(largeTruth, at + times / 2, 0).rg;
}
