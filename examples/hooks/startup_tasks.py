"""Something done once when the server's worker starts, before the first job."""

import logging

import latentfu


def warm_up(device):
    """Here a network could be loaded, so that the first edit does not wait for it."""
    logging.getLogger(__name__).warning("The example is ready on %s.", device)


@latentfu.hookimpl
def latentfu_startup_tasks():
    return [latentfu.StartupTask(plugin="example", name="warm-up", title="Warm up", run=warm_up)]
