"""What can be wrong with a kind's record, held against botocore's service model.  Used by `test_records.py`.

A skeleton answer is made from the model, every path of the record is looked up in it, and every call that the record
can make is validated as botocore would before sending it.  No AWS and no local AWS is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import botocore.session
import jmespath
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator

from reconciler.aws.creating import find_row
from reconciler.engine.converge import converge
from reconciler.engine.leaving import removal
from reconciler.model.address import Address
from reconciler.model.calls import Call
from reconciler.model.fields import Facts, find_shape
from reconciler.model.kind import Kind, Part
from reconciler.model.things import Desired, Observed
from reconciler.model.verdicts import Steps
from tests.harness import ACCOUNT, SCHEMA, STACK

SCALARS: Mapping[str, Any] = {
    "boolean": True,
    "float": 1.0,
    "double": 1.0,
    "timestamp": "2026-01-01T00:00:00Z",
    "blob": b"x",
}
DEEPEST = 6
NOTHING = Shape("Nothing", {"type": "string"})
LIMITS = ("MaxResults", "maxResults", "MaxItems", "MaxRecords", "PageSize")
"""What services call the most that one answer may hold."""


@cache
def model(service: str) -> ServiceModel:
    return botocore.session.Session().get_service_model(service)


def skeleton(shape: Shape | None, depth: int = 0) -> Any:
    """A value of a shape with everything in it, one item a list."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        if depth > DEEPEST:
            return {}
        return {name: skeleton(inner, depth + 1) for name, inner in shape.members.items()}  # type: ignore[attr-defined]
    if shape.type_name == "list":
        return [skeleton(shape.member, depth + 1)]  # type: ignore[attr-defined]
    if shape.type_name == "map":
        return {"key": skeleton(shape.value, depth + 1)}  # type: ignore[attr-defined]
    if shape.type_name in {"integer", "long"}:
        return max(1, shape.metadata.get("min") or 1)
    if shape.type_name in SCALARS:
        return SCALARS[shape.type_name]
    enum = getattr(shape, "enum", None)
    return enum[0] if enum else "x" * (shape.metadata.get("min") or 1)


def skeleton_of_required(shape: Any) -> dict[str, Any]:
    """A value of a structure with what it must have."""
    return {name: skeleton(shape.members[name]) for name in shape.required_members}


def drawn(shape: Any) -> dict[str, str]:
    """What botocore itself adds to a call."""
    members = shape.members if shape else {}
    return {name: "x" for name, inner in members.items() if inner.metadata.get("idempotencyToken")}


def flags(row: dict[str, Any]) -> list[str]:
    """The members that are true or false."""
    return [name for name, value in row.items() if isinstance(value, bool)]


def both(rows: list[Any]) -> list[Any]:
    """Each row with every flag set and once more with none, since parts choose by flags."""
    unset = [{**row, **dict.fromkeys(flags(row), False)} for row in rows if isinstance(row, dict)]
    return [*rows, *unset]


class Lint:
    """All that is wrong with one record."""

    def __init__(self, facts: Facts) -> None:
        self.facts, self.kind = facts, facts.kind
        self.found: list[str] = []

    def mistakes(self) -> list[str]:
        """In words, empty when there are none."""
        if self._operations():
            rows = self._rows()
            if rows:
                self._row(rows[0])
                self._fields(rows[0])
                self._calls(rows[0])
            self._read()
            self._birth()
            self._refs()
            self._agreement()
        return self.found

    def wrong(self, what: str) -> None:
        self.found.append(f"{self.kind.name}: {what}")

    def _operations(self) -> bool:
        kind = self.kind
        names = [*kind.read.operations, kind.create, kind.delete, *filter(None, [kind.update])]
        names += kind.tagged.operations
        names += [name for remedy in kind.remedies.values() for name in remedy.operations]
        names += [name for part in kind.parts for name in part.operations]
        names += [*kind.then_operations, *filter(None, [kind.accept, kind.decline])]
        names += kind.halt.operations if kind.halt else ()
        names += kind.then_operations
        missing = sorted(set(names) - set(model(kind.service).operation_names))
        for name in missing:
            self.wrong(f"{kind.service} has no operation {name}")
        return not missing

    def _input(self, operation: str) -> Mapping[str, Shape]:
        shape = model(self.kind.service).operation_model(operation).input_shape
        return shape.members if shape else {}

    def _rows(self) -> list[dict[str, Any]]:
        read = self.kind.read
        answer = skeleton(model(self.kind.service).operation_model(read.operation).output_shape)
        rows = jmespath.search(read.path, answer)
        if not isinstance(rows, list) or not rows or not isinstance(rows[0], dict):
            self.wrong(f"{read.path} leads to no list in the answer of {read.operation}")
            return []
        if read.completed:
            return [{**row, **self._completing(row)} for row in rows]
        return rows

    def _completing(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What the second read of a row gives."""
        how = self.kind.read.completed
        assert how is not None
        operation = model(self.kind.service).operation_model(how.operation)
        found = jmespath.search(how.path, skeleton(operation.output_shape))
        if how.by not in row or how.ids not in self._input(how.operation):
            self.wrong(f"{how.operation} cannot be asked by {how.by}")
        more = found[0] if how.most and isinstance(found, list) and found else found
        if not isinstance(more, dict) or (how.most and how.key not in more):
            self.wrong(f"{how.path} leads to nothing that completes a row in the answer of {how.operation}")
            return {}
        return more

    def _row(self, row: dict[str, Any]) -> None:
        kind = self.kind
        for what, name in (
            ("id", kind.id),
            ("arn", kind.arn),
            ("handle", kind.handle),
            *(("identity", name) for name in kind.identity),
        ):
            if name is not None and name not in row:
                self.wrong(f"{what} {name} is not in the rows of {kind.read.operation}")
        if kind.tags not in row:
            self.wrong(f"{(kind.read.completed or kind.read).operation} shows no tags")
        if kind.arn is None and kind.arn_tail is None:
            self.wrong("neither arn nor arn_tail says what its ARN is")
        words = kind.ready | kind.usable | kind.failed | kind.gone | kind.leaving | kind.asking.keys()
        if kind.state is None:
            if words:
                self.wrong("has words for states and no state")
            return
        enum = self._state_words()
        if jmespath.search(kind.state, row) is None:
            self.wrong(f"state {kind.state} is not in the rows of {kind.read.operation}")
        enum |= {word[0].lower() + word[1:] for word in enum}  # endpoints report them so
        for word in sorted(words - enum if enum else ()):  # of some states the model does not know the words
            self.wrong(f"state {word!r} is never reported by {kind.read.operation}")
        groups = [kind.ready, kind.usable, kind.failed, kind.gone, kind.leaving, kind.asking]
        if sum(map(len, groups)) != len(words):
            self.wrong("a state word stands in two groups")

    def _state_words(self) -> frozenset[str]:
        first = str(self.kind.state).partition(" || ")[0]  # what follows is for answers of other calls
        for read in filter(None, (self.kind.read, self.kind.read.completed)):
            shape: Any = model(self.kind.service).operation_model(read.operation).output_shape
            for step in f"{read.path}.{first}".split("."):
                shape = shape.member if shape.type_name == "list" else shape
                members = shape.members if shape.type_name == "structure" else {}
                shape = members.get(step.removesuffix("[]"), NOTHING)
            if getattr(shape, "enum", None):
                return frozenset(shape.enum)
        return frozenset()

    def _fields(self, row: dict[str, Any]) -> None:
        kind, fields = self.kind, self.facts.fields
        spec = kind.project(self._raw(row))
        parts = {part.field for part in kind.parts}
        more = {detail.field for detail in kind.read.details}
        for name, field in fields.items():
            if name not in spec and name not in parts | more | kind.then_owns and not field.write_only:
                self.wrong(
                    f"{name} is not reported by {kind.read.operation} and not write-only: it would always differ"
                )
        create = self._input(kind.create)
        for what, names in (
            ("always", kind.always),
            ("forbidden", kind.forbidden),
            ("write_only", kind.write_only),
        ):
            for name in sorted(set(names) - create.keys()):
                self.wrong(f"{what}: {kind.create} has no {name}")
        for what, given in (
            ("unordered", kind.unordered),
            ("then_owns", kind.then_owns),
            ("documents", {path.partition("[")[0] for path in kind.documents}),
            ("remedies", kind.remedies),
        ):
            for name in sorted(set(given) - fields.keys()):
                self.wrong(f"{what}: there is no field {name}")
        if kind.unique is not None and kind.unique not in fields:
            self.wrong(f"unique: there is no field {kind.unique}")
        ours = kind.always.keys() | {kind.home.token}
        for name in sorted(set(self._required(kind.create)) - fields.keys() - ours):
            self.wrong(f"{kind.create} requires {name}, which no config can give")

    def _required(self, operation: str) -> list[str]:
        shape = model(self.kind.service).operation_model(operation).input_shape
        return list(shape.required_members) if shape else []

    def _raw(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row with what further reads add to it."""
        more: dict[str, Any] = {}
        for detail in self.kind.read.details:
            answer = skeleton(model(self.kind.service).operation_model(detail.operation).output_shape)
            found = jmespath.search(detail.path, answer)
            if isinstance(found, list) and not detail.many:
                found = found[0]
            if detail.each and not detail.many:
                found = [found]
            more[detail.key] = found if detail.name or detail.many else True  # one value is not looked into
        for companion in self.kind.read.companions:
            answer = skeleton(model(self.kind.service).operation_model(companion.operation).output_shape)
            rows = jmespath.search(companion.path, answer)
            if not rows or companion.key not in rows[0]:
                self.wrong(
                    f"{companion.path}[].{companion.key} is not in the answer of {companion.operation}"
                )
            more[companion.name] = both(rows)
        lists = {name: both(value) for name, value in row.items() if isinstance(value, list)}
        return {**row, **lists, **more}

    def _thing(self, row: dict[str, Any]) -> Observed:
        raw = self._raw(row)
        return Observed(
            kind=self.kind.name,
            account=ACCOUNT,
            region="us-west-2" if self.kind.regional else "",
            id=str(row.get(self.kind.id, "x")),
            arn="arn:x",
            state=next(iter(sorted(self.kind.ready)), None),
            spec=self.kind.project(raw),
            tags={},
            raw=raw,
            address=Address(self.kind.name, "x"),
            stack=STACK,
        )

    def _calls(self, row: dict[str, Any]) -> None:
        """Every call that the record can make is one that botocore would send."""
        if self.kind.id not in row or not set(self.kind.identity) <= row.keys():
            return
        thing = self._thing(row)
        loosening = {name for remedy in self.kind.remedies.values() for name in remedy.operations}
        loosening |= {name for part in self.kind.parts for name in part.operations}
        calls = removal(self.kind, thing, "").calls
        self._valid(calls, {self.kind.delete, *loosening})
        if calls[-1].operation != self.kind.delete:
            self.wrong("its removal does not end with its delete call")
        for name, remedy in self.kind.remedies.items():
            if name in self.facts.fields:
                self._valid(remedy.make(thing, self._sample(name)), set(remedy.operations))
        if halt := self.kind.halt:
            self._valid([halt.stop(thing), halt.start(thing)], set(halt.operations))
        for part in self.kind.parts:
            self._part(part, thing)
        if self.kind.update:
            self._update(thing)

    def _sample(self, name: str) -> Any:
        remedy = self.kind.remedies.get(name)
        source: Any = self._input(self.kind.create).get(name)
        if source is None and remedy is not None and remedy.shape is not None:
            source = find_shape(self.kind.service, remedy.shape, SCHEMA).source  # type: ignore[attr-defined]
        return skeleton(source)

    def _update(self, thing: Observed) -> None:
        """One update of every field that it takes."""
        spec = {
            name: self._sample(name) for name, field in self.facts.fields.items() if field.change == "update"
        }
        seen = dict.fromkeys(spec)
        bare = replace(thing, spec=seen)
        wanted = Desired(
            address=Address(self.kind.name, "x"), account=ACCOUNT, region=thing.region, spec=spec
        )
        verdict = converge(self.facts, desired=wanted, observed=bare, stack=STACK)
        if not isinstance(verdict, Steps):
            self.wrong(f"{self.kind.update} cannot be reached: {verdict}")
            return
        calls = [call for call in verdict.calls if call.operation == self.kind.update]
        self._valid(calls, {self.kind.update or ""})

    def _item(self, part: Part, shape: str) -> dict[str, Any]:
        found = skeleton(model(self.kind.service).shape_for(shape))
        return {name: value for name, value in found.items() if name not in part.given}

    def _part(self, part: Part, thing: Observed) -> None:
        item = part.normal(
            self._item(part, part.shape)
            | {name: [self._item(part, shape)] for name, shape in part.lists.items()}
        )
        if part.normal(item) != item:
            self.wrong(f"{part.field}: normal() of a normal item is another one")
        live = part.rows(thing.raw) or [item]
        if part.key(part.normal(dict(item))) != part.key(item):
            self.wrong(f"{part.field}: key() of one item is not stable")
        allowed = set(part.operations)
        self._valid(part.add(thing, [item]), allowed)
        self._valid(part.remove(thing, live), allowed)
        self._valid(part.change(thing, [{**live[0], **item}]), allowed)
        if part.at_once:
            self._valid(part.at_once(thing, [item], [{**live[0], **item}], live), allowed)

    def _valid(self, calls: Any, allowed: set[str]) -> None:
        for call in calls:
            assert isinstance(call, Call)
            if call.operation not in allowed:
                self.wrong(f"makes the call {call.operation}, which the record does not name")
                continue
            shape = model(self.kind.service).operation_model(call.operation).input_shape
            given = {**drawn(shape), **call.parameters}
            report = ParamValidator().validate(given, shape)
            if report.has_errors():
                self.wrong(f"{call.operation}: {report.generate_report()}")
            for name in self._required(call.operation):
                if name not in given:
                    self.wrong(f"{call.operation} also requires {name}: is it part of the identity?")

    def _read(self) -> None:
        read, members = self.kind.read, self._input(self.kind.read.operation)
        if read.ids is not None and read.ids not in members:
            self.wrong(f"{read.operation} cannot be asked for {read.ids}")
        if self.kind.service == "ec2" and read.filters is not None and read.filters not in members:
            self.wrong(f"{read.operation} takes no {read.filters}")
        for name in sorted(set(read.arguments) - members.keys()):
            self.wrong(f"{read.operation} takes no {name}")
        limit = next((name for name in LIMITS if name in members), None)
        if (limit is not None) != (read.page is not None):
            self.wrong(
                f"page: {read.operation} has {f'a {limit}' if limit else 'none of ' + ', '.join(LIMITS)}"
            )
        elif limit is not None:
            most = members[limit].metadata.get("max")
            if most is not None and read.page != most:
                self.wrong(f"page: {read.operation} gives up to {most} at once, not {read.page}")
        for detail in read.details:
            answer = skeleton(model(self.kind.service).operation_model(detail.operation).output_shape)
            if jmespath.search(detail.path, answer) is None:
                self.wrong(f"{detail.path} is not in the answer of {detail.operation}")
            sought = {name: skeleton(self._input(detail.operation).get(name)) for name in detail.given}
            who = detail.named("x", "x", {self.kind.handle or self.kind.id: "x"})
            given = {**who, **detail.arguments, **sought}
            report = ParamValidator().validate(
                given, model(self.kind.service).operation_model(detail.operation).input_shape
            )
            if report.has_errors():
                self.wrong(f"{detail.operation}: {report.generate_report()}")

    def _birth(self) -> None:
        members = self._input(self.kind.create)
        answer = skeleton(model(self.kind.service).operation_model(self.kind.create).output_shape)
        row = find_row(self.kind, answer)
        if not self.kind.answered:
            self._unanswered(row, members)
        elif row is None:
            self.wrong(f"{self.kind.create} answers no {self.kind.id}")
        elif (self.kind.tags in row) is not self.kind.answers_tags:
            self.wrong(
                f"answers_tags: {self.kind.create} answers {'with' if self.kind.tags in row else 'without'} tags"
            )
        self._together(row or {}, members)
        if self.kind.birthmark:
            self._marked(row or {})
            return
        if self.kind.tag_type is None:
            if self.kind.tagged.parameter not in members:
                self.wrong(f"{self.kind.create} cannot tag at birth with a list of tags")
            return
        if "TagSpecifications" not in members:
            self.wrong(f"{self.kind.create} cannot tag at birth")
            return
        types: Any = members["TagSpecifications"]
        if self.kind.tag_type not in types.member.members["ResourceType"].enum:
            self.wrong(f"{self.kind.tag_type} is no type of EC2's tags")

    def _together(self, row: dict[str, Any], members: Mapping[str, Shape]) -> None:
        """What one call makes several of is numbered in its answer, shows whose call it was, and when."""
        kind = self.kind
        if kind.together is None:
            return
        if not (kind.tag_type and kind.answers_tags and self.facts.takes_token and kind.home.token in row):
            self.wrong("together: what one call makes is known by its tags and its token")
        if unknown := {*kind.together.counts} - (members.keys() & kind.always.keys()):
            self.wrong(f"together: {kind.create} takes no {sorted(unknown)} always")
        if not isinstance(row.get(kind.together.index), int):
            self.wrong(f"together: {kind.together.index} numbers nothing in the answer of {kind.create}")
        if not isinstance(jmespath.search(kind.together.since, row), str):
            self.wrong(f"together: {kind.together.since} is no time")

    def _marked(self, row: dict[str, Any]) -> None:
        """A mark is something that the create call takes, and that no row has by chance."""
        mark, kind = self.kind.birthmark, self.kind
        assert mark is not None
        given = {**skeleton_of_required(model(kind.service).operation_model(kind.create).input_shape)}
        shape = model(kind.service).operation_model(kind.create).input_shape
        report = ParamValidator().validate({**given, **mark.put(STACK, f"{kind.name}/x")}, shape)
        if report.has_errors():
            self.wrong(f"birthmark: {report.generate_report()}")
        if mark.read(row) is not None:
            self.wrong("birthmark: it is found in a row that has none")

    def _unanswered(self, row: Any, members: Mapping[str, Shape]) -> None:
        """What a creation does not answer is found by the name that it was given."""
        kind = self.kind
        if row is not None:
            self.wrong(f"answered: {kind.create} answers with what it has made")
        if kind.handle is None or kind.handle not in members:
            self.wrong(f"answered: {kind.create} gives no name by which to find what it has made")
        if kind.read.ids is None:
            self.wrong(f"answered: {kind.read.operation} cannot be asked for what was made")

    def _agreement(self) -> None:
        """What has to be alike is named by references; what has to differ are fields."""
        for path in self.kind.alike.keys() - self.kind.refs.keys():
            self.wrong(f"alike: {path} is no reference")
        for path in {*self.kind.unlike, *self.kind.unlike.values()} - self.facts.fields.keys():
            self.wrong(f"unlike: there is no field {path}")

    def _refs(self) -> None:
        for path in self.kind.refs:
            head, *rest = path.split(".")
            field = self.facts.fields.get(head.removesuffix("[]"))
            if field is None:
                self.wrong(f"refs: there is no field {head}")
                continue
            shape: Any = field.shape
            if head.endswith("[]") and field.change != "part":
                shape = shape.item
            for step in rest:
                shape = None if shape is None else shape.members.get(step.removesuffix("[]"))
                shape = shape.item if shape is not None and step.endswith("[]") else shape
            if shape is None or shape.type != "string":
                self.wrong(f"refs: {path} is no string")


def of_all(every: Mapping[str, Facts]) -> Iterator[str]:
    """What is wrong between the records."""
    for name, facts in every.items():
        if facts.kind.read.within is not None and facts.kind.read.within not in every:
            yield f"{name}: lies within {facts.kind.read.within}, which is no kind"
        refs = [(path, *one) for path, targets in facts.kind.targets().items() for one in targets.items()]
        for path, target, attribute in refs:
            if target not in every:
                yield f"{name}: {path} refers to {target}, which is no kind"
                continue
            for member in facts.kind.alike.get(path, ()):
                if member not in facts.fields or member not in every[target].fields:
                    yield f"{name}: {path} cannot be alike in {member}, which one of the two does not have"
            if attribute not in {"id", "arn", "name", *every[target].fields, *reported(every[target])}:
                yield f"{name}: {path} cannot give {attribute}"
        for part in facts.kind.parts:
            for other in part.needed_by or ():
                if other not in every or not any(name in one for one in every[other].kind.targets().values()):
                    yield f"{name}: {part.field} cannot be needed by {other}, which does not refer to it"


def reported(facts: Facts) -> Mapping[str, Any]:
    """What a look at a thing of a kind gives, in the words of its config."""
    lint = Lint(facts)
    (row, *_) = lint._rows()
    return facts.kind.project(lint._raw(row))


def check(kind: Kind) -> list[str]:
    """What is wrong with a record; facts that cannot even be read count too."""
    from reconciler.model.fields import Facts

    try:
        return Lint(Facts(kind, SCHEMA)).mistakes()
    except KeyError as error:
        return [f"{kind.name}: {error}"]
