"""The middleware in front of Streamlit, in the order in which a request passes it."""

from web.request_guard import RequestGuard
from web.request_limits import RequestLimits
from web.request_log import RequestLog
from web.return_address import ReturnAddress
from web.security_headers import SecurityHeaders
from web.upload_limits import UploadLimits
from web.visitors import VisitorCookies

__all__ = ["LAYERS"]

LAYERS = (RequestLog, SecurityHeaders, RequestGuard, RequestLimits, UploadLimits, VisitorCookies, ReturnAddress)
"""Classes of middleware: what is refused by one is seen by those before it alone."""
