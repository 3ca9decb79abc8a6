from gi.repository import GObject

class AppLaunchContext(GObject.Object): ...

class File(GObject.Object):
    @staticmethod
    def new_for_path(path: str) -> File: ...

class AppInfo(GObject.Object):
    @staticmethod
    def launch_default_for_uri(uri: str, context: AppLaunchContext | None) -> bool: ...
