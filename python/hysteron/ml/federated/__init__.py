"""Federated training of a mode-assisted Boltzmann machine with Flower: parties keep their data.

A round is one update. The server sends the machine and the model's side of the update (from persistent chains, or from the
joint mode that chips find, here or on the network): it depends on the machine alone, not on data. Each party answers with
the sum over a random batch of its own rows of (statistics of the row less the model's), every row's difference clipped,
in fixed point and under masks that cancel in the sum over parties. The server sees the sum.

`secure` is the masking and says what it protects from, `privacy` differential privacy and its epsilon, `training` the two
Flower apps and `train`, which runs them in this process.
"""

try:
    import cryptography as _cryptography  # noqa: F401
    import flwr as _flwr  # noqa: F401
except ImportError as error:
    raise ImportError("hysteron.ml.federated needs Flower: pip install 'hysteron[federated]'") from error

from hysteron.ml.federated.privacy import Privacy, epsilon, noise_for
from hysteron.ml.federated.secure import Identity, Roster
from hysteron.ml.federated.training import Federation, Party, Result, client_app, server_app, train, train_centrally

__all__ = [
    "Federation",
    "Identity",
    "Party",
    "Privacy",
    "Result",
    "Roster",
    "client_app",
    "epsilon",
    "noise_for",
    "server_app",
    "train",
    "train_centrally",
]
