"""Machine learning on the chips: mode-assisted Boltzmann machines, feature selection and support vectors as scikit-learn estimators.

Every estimator takes `sampler=`, any dimod sampler of QUBOs: by default a `hysteron.Sampler` of one thread, else for
instance one that books chips on the network. `hysteron.ml.federated` trains a machine over parties that keep their data.
"""

try:
    import sklearn as _sklearn  # noqa: F401
except ImportError as error:
    raise ImportError("hysteron.ml needs scikit-learn: pip install 'hysteron[ml]'") from error

from hysteron.ml.boltzmann import Machine, ModeSchedule
from hysteron.ml.data import bars_and_stripes
from hysteron.ml.rbm import ModeAssistedRBM, ModeAssistedRBMClassifier
from hysteron.ml.selection import QuboSelector
from hysteron.ml.support import QuboSVC

__all__ = [
    "Machine",
    "ModeAssistedRBM",
    "ModeAssistedRBMClassifier",
    "ModeSchedule",
    "QuboSVC",
    "QuboSelector",
    "bars_and_stripes",
]
