#version 330
// Strands as ribbons that face the camera; both edges of a point share place and tangent.
in vec3 p;
in vec3 n;          // tangent
in vec4 look;       // side (-1, 1) times half width, place along the strand, tone, occlusion
uniform mat4 view, shadow;
uniform vec3 eye;
out vec3 P; out vec3 N; out vec4 S; out vec4 K;
void main() {
    vec3 side = normalize(cross(n, eye - p));
    vec3 q = p + side * look.x;
    gl_Position = view * vec4(q, 1.);
    P = q; N = n; K = look;
    S = shadow * vec4(q, 1.);
}
