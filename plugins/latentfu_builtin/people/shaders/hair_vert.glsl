#version 330
// Strands as ribbons that face the camera; both edges of a point share place and tangent.
in vec3 p;
in vec3 n;          // tangent
in vec4 look;       // side (-1, 1) times half width, place along the strand, tone, occlusion
uniform mat4 view, shadow;
uniform vec3 eye;
uniform float pixel;    // a sample's width, per meter of distance
out vec3 P; out vec3 N; out vec4 S; out vec4 K; out float cover;
void main() {
    vec3 side = normalize(cross(n, eye - p));
    // never narrower than a sample, so that no strand breaks into dots; cover says how much of it
    float least = .5 * pixel * distance(eye, p), wide = max(abs(look.x), least);
    cover = min(abs(look.x) / wide, 1.);
    vec3 q = p + side * sign(look.x) * wide;
    gl_Position = view * vec4(q, 1.);
    P = q; N = n; K = look;
    S = shadow * vec4(q, 1.);
}
