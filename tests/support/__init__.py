"""What tests of several rooms share: small networks, servers, files. All of it is typed."""
