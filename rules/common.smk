"""The study and the helpers that all rules use; scripts/cellstack/run implements them."""

from cellstack.run.sources import Sources

sources = Sources(locate_script)
for module in (
    "config/gallery",
    "config/block_inputs",
    "config/explorer",
    "config/targets",
    "config/used_settings",
    "run/rules",
    "run/cluster",
    "run/memory",
    "run/progress",
    "run/terminal",
    "run/provenance",
    "files/readers/opening",
):
    for file in sources.files(f"cellstack/{module}.py"):
        locate_script(file)  # so that Python finds them all in one folder

from cellstack.config import used_settings
from cellstack.config.block_inputs import BlockInputs
from cellstack.config.block_plan import BlockPlan
from cellstack.config.explorer import Explorer
from cellstack.config.gallery import Gallery
from cellstack.config.inputs import Inputs
from cellstack.config.measurements import Measurements
from cellstack.config.recipes import Recipes
from cellstack.config.sheet import CELLS_TO_NUCLEI
from cellstack.config.targets import Targets
from cellstack.config.units import OF_ALTERNATIVES, OF_BLOCKS, OF_STACKS, PATTERN
from cellstack.config.units import pattern_of, pattern_of_units
from cellstack.run import cluster, provenance, rules as helpers, terminal
from cellstack.run.history import History
from cellstack.run.memory import limit_memory
from cellstack.run.progress import Watch
from cellstack.run.resources import ResourceRequests

SCHEMAS = ("schemas/config.schema", "schemas/stages.schema", "schemas/stacks.schema")
for name in (*SCHEMAS, "presets", "gallery"):
    locate(f"config/{name}.yaml")

helpers.collect_garbage_rarely()
study = helpers.open_study(workflow, config, Path(locate("config/presets.yaml")).parent)
requests = ResourceRequests(study, locate("config/resources.tsv"), helpers.shared_cores(workflow))
block_plan = BlockPlan(study)
measurements = Measurements(study)
recipes = Recipes(study)
inputs = Inputs(study, recipes, workflow.pathvars.get("results"))
block_inputs = BlockInputs(study, recipes, inputs)
targets = Targets(study, recipes, inputs)
panels = Gallery(study, recipes)
explorer = Explorer(study, recipes, inputs, panels)
stages = helpers.StageHelpers(study, recipes, inputs, sources)
history = History(workflow.pathvars.get("results"))
if workflow.is_main_process:
    history.restore()
watch = Watch(workflow, history, study)

by_wildcards = helpers.by_wildcards
cores = requests.cores
memory = requests.memory
minutes = requests.minutes
params_of = stages.params
made_by = stages.made_by
diameter_for = stages.diameter_for
source_hash = sources.hash


def intermediate(path):
    """Mark a file as temporary, unless the configuration keeps intermediate images."""
    return path if study.config["keep_intermediates"] else temp(path)
