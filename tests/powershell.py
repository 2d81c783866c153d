"""
What a PowerShell script calls, read from its syntax tree, so that all of it can be held against a list.

There is no PowerShell here: a cmdlet, parameter, type or method that stands on no list has to be looked at (what does it
change? does Windows PowerShell 5.1 have it?) before it is added to one.
"""

import functools
import re
from collections.abc import Iterator

import tree_sitter
import tree_sitter_powershell

AUTOMATIC = {
    "args", "error", "event", "executioncontext", "false", "foreach", "home", "host", "input", "lastexitcode", "matches", "myinvocation",
    "null", "ofs", "pid", "profile", "psboundparameters", "pscmdlet", "pshome", "psitem", "psversiontable", "pwd", "sender", "shellid",
    "stacktrace", "switch", "this", "true",
}  # fmt: skip
"""Variables of PowerShell's own; assigning to some of them is an error only when it runs."""

SEVEN = {"??", "??=", "&&", "||", "?.", "?["}
NOT_IN_5_1 = (
    "-AsArray",
    "-AsHashtable",
    "-Parallel",
    "-SkipCertificateCheck",
    "utf8NoBOM",
    "$IsWindows",
    "$IsLinux",
    "clean {",
)


@functools.cache
def parsed(text: str) -> tree_sitter.Tree:
    language = tree_sitter.Language(tree_sitter_powershell.language())
    return tree_sitter.Parser(language).parse(text.encode())


def nodes(text: str, *kinds: str) -> Iterator[tree_sitter.Node]:
    waiting = [parsed(text).root_node]
    while waiting:
        node = waiting.pop()
        waiting += reversed(node.children)
        if node.type in kinds:
            yield node


def said(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()


def own_functions(text: str) -> set[str]:
    return {said(node) for node in nodes(text, "function_name")}


def called(text: str) -> Iterator[tuple[str, tree_sitter.Node]]:
    """Commands by name, those of the script's own left out."""
    own = own_functions(text)
    for node in nodes(text, "command"):
        names = [child for child in node.children if child.type == "command_name"]
        if names and said(names[0]) not in own:
            yield said(names[0]), node


def parameters(text: str) -> Iterator[tuple[str, set[str]]]:
    """Commands by name, and the parameters that each is given."""
    for name, node in called(text):
        yield name, {said(it).lstrip("-").partition(":")[0] for it in _within(node, "command_parameter")}


def _within(command: tree_sitter.Node, kind: str) -> Iterator[tree_sitter.Node]:
    """Parts of a command, not of commands inside it."""
    waiting = list(command.children)
    while waiting:
        node = waiting.pop()
        if node.type == kind:
            yield node
        elif node.type not in {
            "script_block_expression",
            "parenthesized_expression",
            "sub_expression",
            "array_expression",
            "command",
        }:
            waiting += node.children


def computed(text: str) -> list[str]:
    """Commands whose name is no plain word."""
    return [
        said(node).strip()
        for node in nodes(text, "command")
        if node.children[0].type == "command_invokation_operator"
    ]


def types(text: str) -> set[str]:
    """Types that appear, arrays as what they are made of."""
    named = {re.sub(r"\[\]$", "", said(node)[1:-1]) for node in nodes(text, "type_literal")}
    return named | set(re.findall(r"New-Object ([\w.]+)", text))


def methods(text: str) -> tuple[set[str], set[str]]:
    """Methods called of types (``Type::Method``), and of objects."""
    statics = set[str]()
    # The parser sees no call in an argument: -At (Get-Date).AddSeconds(3)
    others = set(re.findall(r"\)\.(\w+)\(", code(text)))
    for node in nodes(text, "invokation_expression"):
        (member,) = (said(child) for child in node.children if child.type == "member_name")
        if any(child.type == "::" for child in node.children):
            statics.add(f"{said(node.children[0]).strip('[]')}::{member}")
        else:
            others.add(member)
    return statics, others


def newer_than_5_1(text: str) -> list[str]:
    """What Windows PowerShell 5.1 does not know."""
    found = [node.type for node in nodes(text, *SEVEN, "ternary_expression")]
    return found + [word for word in NOT_IN_5_1 if word in text]


def assigned(text: str) -> Iterator[str]:
    """Variables that are assigned, in lower case."""
    for node in nodes(text, "left_assignment_expression"):
        yield from (
            name.casefold()
            for name in re.findall(r"\$(?:script:)?(\w+)", said(node).split(".")[0].split("[")[0])
        )
    for node in nodes(text, "foreach_statement"):
        variable = re.match(r"foreach \(\$(\w+) in", said(node))
        assert variable
        yield variable[1].casefold()


def code(text: str) -> str:
    """Without lines that are comments."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))


def verbs_that_change(text: str) -> set[str]:
    """Words that look like cmdlets which change something."""
    changing = r"\b(?:Set|New|Remove|Add|Clear|Stop|Start|Restart|Enable|Disable|Install|Uninstall|Invoke|Import|Out|Export|Move|Copy|Rename|Register|Unregister)-[A-Z]\w+"
    return set(re.findall(changing, code(text)))
