"""`translate` as Django has it, that finds a text which is always the same once for each language.

A page has more than a hundred such texts.
"""

from __future__ import annotations

from typing import Any

from django import template
from django.template.base import Parser, Token, Variable
from django.templatetags.i18n import TranslateNode, do_translate
from django.utils.translation import get_language

register = template.Library()


class _Kept(template.Node):
    def __init__(self, node: TranslateNode) -> None:
        self._node = node
        self._texts: dict[str | None, str] = {}

    def render(self, context: template.Context) -> str:
        language = get_language()
        text = self._texts.get(language)
        if text is None:
            text = self._texts[language] = self._render(context)
        if self._node.asvar:
            context[self._node.asvar] = text
            return ""
        return text

    def _render(self, context: template.Context) -> str:
        text: Any = self._node.render(context)
        return str(context[self._node.asvar] if self._node.asvar else text)


@register.tag("translate")
def translate(parser: Parser, token: Token) -> template.Node:
    """A node that keeps what it found, where the text and its context are literal."""
    node = do_translate(parser, token)
    expression = node.filter_expression
    is_literal = isinstance(expression.var, Variable) and expression.var.literal is not None and not expression.filters
    has_variable_context = node.message_context is not None and node.message_context.is_var
    return _Kept(node) if is_literal and not has_variable_context else node
