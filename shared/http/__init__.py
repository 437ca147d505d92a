"""What an endpoint is made of. A module's `api.py` imports from here and from nowhere below."""

from shared.http.auth import needs
from shared.http.idempotency import KEY_REQUIRED, keep_sealed
from shared.http.merge_patch import MergePatch, patched
from shared.http.paging import Page, PageRequest, page_of, page_of_rows
from shared.http.problems import refusals
from shared.http.route import Expected, Router, Transaction, body_limit, expect

__all__ = [
    "KEY_REQUIRED",
    "Expected",
    "MergePatch",
    "Page",
    "PageRequest",
    "Router",
    "Transaction",
    "body_limit",
    "expect",
    "keep_sealed",
    "needs",
    "page_of",
    "page_of_rows",
    "patched",
    "refusals",
]
