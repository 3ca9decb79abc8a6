#version 330
// Shared by everything that is lit: lights, shadow, noise, tone curve and the two outputs.
in vec3 P;      // where in the room, meters
in vec3 N;      // normal (of hair: the strand's tangent)
in vec4 S;      // where in the key light's shadow map
layout(location = 0) out vec4 color;
layout(location = 1) out vec2 truth;  // region, distance from the camera
uniform vec3 eye;
uniform vec3 key, keyColor, fill, fillColor, rim, rimColor, sky, ground;
uniform sampler2DShadow shadowMap;

float hash(vec3 x) { x = fract(x * .3183099 + vec3(.71, .113, .419)); x *= 17.; return fract(x.x * x.y * x.z * (x.x + x.y + x.z)); }
float noise(vec3 x) {
    vec3 i = floor(x), f = fract(x);
    f = f * f * (3. - 2. * f);
    return mix(mix(mix(hash(i), hash(i + vec3(1, 0, 0)), f.x), mix(hash(i + vec3(0, 1, 0)), hash(i + vec3(1, 1, 0)), f.x), f.y),
               mix(mix(hash(i + vec3(0, 0, 1)), hash(i + vec3(1, 0, 1)), f.x), mix(hash(i + vec3(0, 1, 1)), hash(i + 1.), f.x), f.y), f.z);
}
float clouds(vec3 x) { return .55 * noise(x) + .3 * noise(x * 2.1) + .15 * noise(x * 4.3); }
// How much of the key light arrives, 0..1; nine taps, shaken, make the edge soft.
float lit(float bias, float spread) {
    vec3 s = S.xyz / S.w * .5 + .5;
    s.xy += (vec2(hash(vec3(gl_FragCoord.xy, 1.)), hash(vec3(gl_FragCoord.yx, 5.))) - .5) * spread;
    float sum = 0.;
    for (int i = -1; i <= 1; i++) for (int j = -1; j <= 1; j++)
        sum += texture(shadowMap, vec3(s.xy + vec2(i, j) * spread, s.z - bias));
    return sum / 9.;
}
vec3 ambient(vec3 n) { return mix(ground, sky, n.z * .5 + .5); }
// A film's shoulder: highlights roll off softly and keep some of their color; then sRGB.
vec3 develop(vec3 x) {
    float y = dot(x, vec3(.3, .59, .11)) + 1e-5;
    vec3 each = 1. - exp(-1.4 * x), whole = x * (1. - exp(-1.4 * y)) / y;
    return pow(clamp(mix(each, whole, .35), 0., 1.), vec3(1. / 2.2));
}
void finish(vec3 light, float region) {
    color = vec4(develop(light), 1.);
    truth = vec2(region, distance(eye, P));
}
