"""The bureau's desk over HTTP: review queue, refused rows, disputes, status, what-if and publishing, by role."""

from fastapi import APIRouter

from api.desk import disputes, publish, refused, review, simulate, status

router = APIRouter(prefix="/desk")
for part in (review, refused, disputes, status, simulate, publish):
    router.include_router(part.router)
