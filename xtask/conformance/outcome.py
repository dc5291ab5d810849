"""What the stages found, per operation."""

import collections
import shlex


class Outcome:
    """Per operation: how often it answered what, and what is wrong with it."""

    def __init__(self, operations):
        self.operations = operations
        self.answers = {operation.id: collections.Counter() for operation in operations}
        self.problems = {operation.id: {} for operation in operations}
        self.general = []

    def answered(self, id, status):
        """An operation answered."""
        self.answers[id][status] += 1

    def problem(self, id, stage, text, curl=""):
        """Something is wrong; the same text counts once."""
        known = self.problems[id].setdefault((stage, text), [0, curl])
        known[0] += 1

    def line(self, operation):
        """One operation on one line."""
        answers = self.answers[operation.id]
        counts = " ".join(f"{status}:{count}" for status, count in sorted(answers.items()))
        found = self.problems[operation.id]
        verdict = "ok  " if not found else "FAIL"
        return f"  {verdict} {operation.method:6} {operation.path}  ({operation.id})  {counts}"

    def report(self, say, width=600):
        """Prints everything; returns how many operations fail."""
        failed = 0
        for operation in self.operations:
            say(self.line(operation))
            found = self.problems[operation.id]
            failed += bool(found)
            for (stage, text), (count, curl) in found.items():
                times = f" ({count} times)" if count > 1 else ""
                say(f"         {stage}{times}: {' '.join(text.split())[:width]}")
                if curl:
                    say(f"           {curl}")
        for text in self.general:
            say(f"  FAIL {text}")
        return failed + len(self.general)

    def as_json(self):
        """The same for programs."""
        return [
            {
                "operation": operation.id,
                "method": operation.method,
                "path": operation.path,
                "answers": dict(self.answers[operation.id]),
                "problems": [
                    {"stage": stage, "text": text, "count": count, "curl": curl}
                    for (stage, text), (count, curl) in self.problems[operation.id].items()
                ],
            }
            for operation in self.operations
        ]


def curl_of(request):
    """A prepared request as a command; the key stays out of it."""
    words = ["curl", "-s", "--cacert", "$CA", "-H", "Authorization: Bearer $KEY", "-X", request.method]
    for name in ("Content-Type", "X-Request-id", "X-Client-Version"):
        if name in request.headers:
            value = request.headers[name]
            words += ["-H", f"{name}: {value.decode('latin-1') if isinstance(value, bytes) else value}"]
    if request.body:
        body = request.body if isinstance(request.body, str) else bytes(request.body).decode("utf-8", "replace")
        words += ["--data-binary", body[:2000]]
    words.append(request.url)
    text = " ".join(shlex.quote(word) for word in words)
    return text.replace("'$CA'", '"$CA"').replace("'Authorization: Bearer $KEY'", '"Authorization: Bearer $KEY"')
