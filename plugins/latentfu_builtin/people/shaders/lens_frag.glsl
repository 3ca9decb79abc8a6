// Spectacle lenses: nearly clear, a streak of the key light.
in vec2 X; in vec3 Q;
uniform float region, tint;
void main() {
    vec3 n = normalize(N), v = normalize(eye - P);
    vec3 m = reflect(-v, n);
    float streak = smoothstep(.88, .985, dot(normalize(m + vec3(X * 8., 0.) * .02), key));
    float facing = pow(1. - abs(dot(n, v)), 3.);
    vec3 light = develop(streak * keyColor * .25 + facing * sky * .5 + .006);
    color = vec4(light, .015 + .12 * streak + .2 * facing + tint);
    truth = vec2(0.);
}
