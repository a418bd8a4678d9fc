"""A version from before versions were signed, signed once it is proven and a person trusts the verdict its tags tell.

Nothing proves such a verdict: whoever may write to the store could have set it. Signing makes it the signer's word.
"""

import re

from irisline.core import console
from irisline.core.errors import ModelError, ReleaseError
from irisline.core.params import Params
from irisline.inference import proof, signature_check
from irisline.networks import bundle
from irisline.release.publishing import version_signature
from irisline.release.signatures import signed
from irisline.release.signatures.signed import SignedVersion
from irisline.release.tracking import store, versions
from irisline.release.tracking.versions import Version


def sign(params: Params, number: int, trust_verdict: bool) -> tuple[SignedVersion, bool]:
    """Return a version as it is signed now, and whether this signed it; raise ReleaseError when it is not to be signed.

    Its files must make up the digest it was registered with, and answer its golden set as they did then.
    """
    client, model = store.client(), params.base.name
    with store.one_line_failures():
        version = versions.get(client, model, number)
        try:
            return signed.verified(client, model, version, console.fail), False
        except ModelError as error:
            console.say(str(error).partition("; ")[0])
        if not re.fullmatch(r"[0-9a-f]{64}", version.digest):
            raise ReleaseError(f"{model} version {number}: was registered without a digest; publish it anew")
        tags = version.tags | {versions.DIGEST: version.digest, versions.RUN: version.run_id}
        folder = versions.download(client, model, version)
        files = bundle.files(folder)
        signature_check.holds_only(folder, files)
        count = proof.prove(folder, f"{model} version {number}", version.precision)
        console.say(f"its files make up the digest it was registered with, {version.digest[:12]}")
        console.say(f"its {count} golden pictures are answered as they were then")
        _judge(model, version, tags, trust_verdict)
        version_signature.seal(client, model, number, files, tags)
        return signed.verified(client, model, versions.get(client, model, number)), True


def _judge(model: str, version: Version, tags: dict[str, str], trusted: bool) -> None:
    """Show the verdict that the tags tell; raise ReleaseError unless a person trusts it."""
    told = signed.manifest(model, version.number, version.digest, ["-", "-"], tags)
    console.say(f"  source    commit {told.source.git_commit}, data {told.source.data_md5}, run {told.run_id}")
    console.say(f"  metrics   {', '.join(f'{name} {value:.4g}' for name, value in told.metrics.items()) or 'none'}")
    console.say(f"  licences  {', '.join(f'{name} {count}' for name, count in told.licences.items()) or 'none'}")
    for check in told.gate.checks:
        console.say(f"  {'passed' if check.passed else 'failed'}  {check.line}")
    if not trusted:
        again = f"irisline sign {version.number} --trust-verdict"
        raise ReleaseError(
            f"{model} version {version.number}: nothing proves this verdict; if you trust it, type {again}"
        )
