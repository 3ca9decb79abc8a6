from gi.repository import GObject

class AppLaunchContext(GObject.Object): ...

class AppInfo(GObject.Object):
    @staticmethod
    def launch_default_for_uri(uri: str, context: AppLaunchContext | None) -> bool: ...
