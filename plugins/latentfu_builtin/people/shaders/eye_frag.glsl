// The eyeball: veined white, iris with fibers and limbal ring, cornea that mirrors the lights.
in vec2 X; in vec3 Q;
uniform vec3 centerL, centerR, iris, gazeL, gazeR, lid;
uniform float radius, lidDrop;
void main() {
    bool left = distance(P, centerL) < distance(P, centerR);
    vec3 c = left ? centerL : centerR, g = left ? gazeL : gazeR;
    vec3 n = normalize(P - c), v = normalize(eye - P);
    float a = acos(clamp(dot(n, g), -1., 1.));
    vec3 u = n - g * dot(n, g);
    float t = atan(u.x, u.z);
    float fibers = noise(vec3(cos(t) * 7., sin(t) * 7., a * 5.)) * .5 + noise(vec3(cos(t) * 19., sin(t) * 19., a * 4.)) * .5;
    vec3 white = vec3(.56, .48, .44) * (1. - .35 * smoothstep(.75, 1.35, a)) * (1. - vec3(.02, .16, .15) * smoothstep(.50, .72, noise(vec3(t * 3., a * 26., 1.))));
    vec3 ring = iris * (.45 + 1.1 * fibers) * mix(1.35, .8, smoothstep(.17, .36, a));
    ring = mix(ring, iris * .12, smoothstep(.34, .42, a));
    // light that the cornea gathers on the side away from the key
    ring *= 1. + 1.1 * clamp(-dot(normalize(u + 1e-5), normalize(key - g * dot(key, g) + 1e-5)), 0., 1.) * smoothstep(.12, .30, a);
    vec3 col = mix(ring, white, smoothstep(.405, .465, a));
    col = mix(vec3(.006), col, smoothstep(.15, .185, a));
    // the upper lid and its lashes shade the ball
    float top = smoothstep(.0, .62, n.z + .02 + lidDrop);
    float s = lit(.002, .0022), occl = mix(1., .36, top) * mix(1., .55, smoothstep(.55, 1.0, abs(n.x))) * mix(1., .75, smoothstep(-.25, -.5, n.z));
    vec3 day = (clamp(dot(n, key) * .7 + .3, 0., 1.) * mix(.35, 1., s) * keyColor * .75 + ambient(n) + fillColor * clamp(dot(n, fill) * .6 + .4, 0., 1.)) * occl;
    vec3 glow = col * day;
    vec3 cornea = normalize(mix(n, g, .30 * smoothstep(.52, .15, a)));
    vec3 m = reflect(-v, cornea);
    // softbox in the key's direction, small window of the fill, dim sky
    float box = smoothstep(.962, .975, dot(m, normalize(key + .25 * vec3(0, 0, 1))));
    glow += box * keyColor * .85 * smoothstep(.95, .5, a);
    glow += smoothstep(.975, .99, dot(m, fill)) * fillColor * .5 * smoothstep(.8, .5, a);
    glow += sky * .05 * smoothstep(.1, .7, m.z) * (1. - top);
    glow += pow(max(dot(n, normalize(key + v)), 0.), 220.) * keyColor * .35;
    finish(glow, 2.);
}
