"""What each kind's status says that is worth telling: one table for whoever tells it."""

from avatar_api.group import AVATAR_MODEL, AVATAR_REQUEST, AVATAR_RUNTIME
from avatar_operator.model_lifecycle.news import model_news
from avatar_operator.request_lifecycle.news import request_news
from avatar_operator.runtime_lifecycle.news import runtime_news

NEWS_OF = {AVATAR_MODEL: model_news, AVATAR_REQUEST: request_news, AVATAR_RUNTIME: runtime_news}
