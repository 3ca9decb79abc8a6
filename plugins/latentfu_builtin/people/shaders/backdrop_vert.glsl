#version 330
in vec2 p;
out vec2 u;
uniform mat3 frame;    // from the picture to the whole of what the camera sees
void main() { u = (frame * vec3(p, 1)).xy; gl_Position = vec4(p, .9999, 1); }
