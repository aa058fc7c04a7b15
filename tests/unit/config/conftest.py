import pytest

from cellstack.config.inputs import Inputs
from cellstack.config.recipes import Recipes
from cellstack.config.targets import Targets


@pytest.fixture
def make_targets():
    """Return a function that returns the targets of a study."""

    def make(study):
        recipes = Recipes(study)
        return Targets(study, recipes, Inputs(study, recipes))

    return make
