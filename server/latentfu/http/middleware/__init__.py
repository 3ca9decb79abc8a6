"""What every request passes before its handler, one measure per file."""

from latentfu.http.middleware.content import check_content
from latentfu.http.middleware.failures import answer_failures
from latentfu.http.middleware.host import check_host
from latentfu.http.middleware.origin import check_origin
from latentfu.http.middleware.token import check_token

IN_ORDER = (answer_failures, check_host, check_origin, check_token, check_content)

__all__ = ["IN_ORDER"]
