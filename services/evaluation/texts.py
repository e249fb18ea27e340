"""The words of the rating page, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT = "zh"
"""The language of whoever states none; those who state others read English."""

TEXTS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "code": "zh-CN",
        "title": "请您评价",
        "lead": "您反映的事项已经答复。请您评价本次办理。",
        "subject": "事项",
        "reply": "答复",
        "question": "您对本次办理是否满意？",
        "comment": "补充意见（选填）",
        "comment-hint": "最多 {} 字。",
        "send": "提交评价",
        "hint": "打开本页不会留下任何评价，只有按下按钮才会提交，每次答复只能评价一次。",
        "until": "请在此日期之前（含当日）评价：",
        "problem": "还没有提交，请更正：",
        "thanks": "谢谢您的评价",
        "satisfied": "您的评价已经记录，本事项办结。",
        "reopened": "您的评价已经记录。您不满意，本事项将重新办理并再次答复您。",
        "rounds-exhausted": "您的评价已经记录。本事项已经达到办理次数上限，现予办结。",
        "choose": "请选择一项评价。",
        "too-long": "补充意见太长，请缩短到 {} 字以内。",
        "forbidden-characters": "补充意见中有无法保存的字符，请删除。",
        "unknown-link": "没有找到这个链接",
        "unknown-link-mend": "请从收到的通知中完整复制链接，再试一次。",
        "link-used": "已经评价过了",
        "link-used-mend": "每次答复只能评价一次，您的评价已经记录，谢谢。",
        "link-lapsed": "评价时间已过",
        "link-lapsed-mend": "这个链接已经失效。您仍可以通过原来的渠道反映情况。",
        "case-withdrawn": "事项已经撤回",
        "case-withdrawn-mend": "这个事项已经撤回，不再需要评价。",
        "link-superseded": "链接已经失效",
        "link-superseded-mend": "这个链接对应的答复已不再等待评价。",
        "unavailable": "系统正忙",
        "unavailable-mend": "还没有确认您的评价。请稍候片刻，再试一次。",
    },
    "en": {
        "code": "en",
        "title": "Please rate our answer",
        "lead": "What you raised has been answered. Please tell us how well.",
        "subject": "Your matter",
        "reply": "Our answer",
        "question": "Are you satisfied with how it was handled?",
        "comment": "Comment (optional)",
        "comment-hint": "Up to {:,} characters.",
        "send": "Send my rating",
        "hint": "Opening this page records nothing, the button does. Each answer is rated once.",
        "until": "Please rate by the end of",
        "problem": "Nothing has been sent yet. Please correct this:",
        "thanks": "Thank you for your rating",
        "satisfied": "Your rating has been recorded, and the matter is closed.",
        "reopened": "Your rating has been recorded. As you are not satisfied, the matter will be"
        " handled again, and you will get another answer.",
        "rounds-exhausted": "Your rating has been recorded. The matter has been handled as often as"
        " the rules allow, and is now closed.",
        "choose": "Choose one of the ratings.",
        "too-long": "Shorten the comment to {:,} characters or fewer.",
        "forbidden-characters": "The comment holds characters that cannot be kept: remove them.",
        "unknown-link": "We do not know this link",
        "unknown-link-mend": "Copy the whole link from the message that you got, and try again.",
        "link-used": "This answer has already been rated",
        "link-used-mend": "Each answer is rated once, and your rating is on record. Thank you.",
        "link-lapsed": "The time for this rating is over",
        "link-lapsed-mend": "This link has expired. You can still reach us as you did before.",
        "case-withdrawn": "The matter was taken back",
        "case-withdrawn-mend": "It needs no rating any more.",
        "link-superseded": "This link is no longer valid",
        "link-superseded-mend": "The answer that it belonged to is not waiting for a rating.",
        "unavailable": "We are busy at the moment",
        "unavailable-mend": "Your rating is not confirmed yet. Wait a moment, then try again.",
    },
}


def language(asked: str | None, accepted: str | None) -> str:
    """`zh` or `en`: as asked for, else the better liked of an Accept-Language header (RFC 9110)."""
    if asked is not None and asked in TEXTS:
        return asked
    if not accepted:
        return DEFAULT
    liked = {"en": 0.0}
    for wish in accepted.split(","):
        tag, _, parameters = wish.strip().partition(";")
        name = tag.partition("-")[0].lower()
        if name in TEXTS:
            liked[name] = max(liked.get(name, 0.0), _weight(parameters))
    return max(liked, key=lambda name: liked[name])


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
