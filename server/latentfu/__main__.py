"""``python -m latentfu``: the program, for interpreters whose scripts are not on the path."""

from latentfu.cli.main import main

if __name__ == "__main__":
    main()
