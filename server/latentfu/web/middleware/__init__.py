"""What every request passes before its handler, one measure per file."""

from latentfu.web.middleware.content import check_content
from latentfu.web.middleware.failures import answer_failures
from latentfu.web.middleware.host import check_host
from latentfu.web.middleware.origin import check_origin
from latentfu.web.middleware.token import check_token

IN_ORDER = (answer_failures, check_host, check_origin, check_token, check_content)

__all__ = ["IN_ORDER"]
