"""``latentfu teapots boil``."""

import latentfu


def load():
    import click

    @click.command(help="Put the kettle on.")
    @latentfu.json_option
    def boil(as_json):
        click.echo('{"boiled": true}' if as_json else "It boils.")

    return boil


@latentfu.hookimpl
def latentfu_commands():
    return [latentfu.Command(path=("teapots", "boil"), help="Put the kettle on.", load=load)]
