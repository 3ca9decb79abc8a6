#version 330
// Skin, eyes, teeth, clothes, things: a mesh whose points carry a place at rest and zones.
in vec3 p;
in vec3 n;
in vec2 extra;      // occlusion, hair ground
in vec3 rest;       // the same point of a neutral head, so that patterns stay on the skin
in vec4 zoneA;      // lips, cheeks, nose, brows
in vec4 zoneB;      // ears, bags, lids, neck
uniform mat4 view, shadow;
out vec3 P; out vec3 N; out vec4 S; out vec2 X; out vec3 Q; out vec4 A; out vec4 B;
void main() {
    gl_Position = view * vec4(p, 1.);
    P = p; N = n; X = extra; Q = rest; A = zoneA; B = zoneB;
    S = shadow * vec4(p, 1.);
}
