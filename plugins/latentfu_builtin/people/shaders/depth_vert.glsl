#version 330
// The shadow map: depth alone.
in vec3 p;
uniform mat4 shadow;
void main() { gl_Position = shadow * vec4(p, 1.); }
