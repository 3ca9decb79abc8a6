#version 330
// Averages the large drawing on the card; the truth is that of the middle sample.
layout(location = 0) out vec4 color;
layout(location = 1) out vec2 truth;
uniform sampler2D large, largeTruth;
uniform int times;
void main() {
    ivec2 at = ivec2(gl_FragCoord.xy) * times;
    vec3 sum = vec3(0);
    for (int i = 0; i < times; i++) for (int j = 0; j < times; j++) sum += texelFetch(large, at + ivec2(i, j), 0).rgb;
    color = vec4(sum / float(times * times), 1.);
    truth = texelFetch(largeTruth, at + times / 2, 0).rg;
}
