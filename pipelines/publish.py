"""Stage 7 of 7: show the results in MLflow, and register the version. Wording a note runs this stage, and no other."""

from irisline.core import stage
from irisline.core.params import Params
from irisline.release.publishing import publishing


def publish(params: Params) -> None:
    """Complete the MLflow run of artifacts/ and reports/, sign and register the version; warn where a store is out of reach."""
    publishing.publish_or_warn(params)


if __name__ == "__main__":
    stage.run(publish)
