"""Writes lightgbm-models.json: models that LightGBM saved, their predictions and pred_contrib on small seeded data.

Run: python3 make_lightgbm_models.py > lightgbm-models.json
"""
import json
import re

import lightgbm
import numpy as np
import pandas

SEED = 20240611
rng = np.random.default_rng(SEED)
N = 90
X = np.round(rng.normal(0, 1, (N, 4)), 2)
X[:, 1][rng.random(N) < 0.3] = 0
X[:, 2] = np.where(rng.random(N) < 0.4, 0, np.abs(X[:, 2]))
X[:, 3] = -X[:, 2]
X[:6, 2] = [1e-36, 1e-35, 1.1e-35, 1e-30, 0, 5e-36]
X[:6, 3] = [-1e-36, -1e-35, -1.1e-35, -1e-30, -0.0, -5e-36]
X = X.astype(np.float32)
with_missing = X.copy()
with_missing[rng.random(X.shape) < 0.1] = np.nan
codes = rng.integers(0, 6, N)
signal = X[:, 0] + X[:, 1] * X[:, 2] + 2 * (X[:, 2] == 0) + np.array([0, 1, -1, 0.5, 2, -2])[codes]
noisy = signal + rng.normal(0, 0.3, N)
binary = (noisy > 0.5).astype(int)
three = np.digitize(noisy, np.quantile(noisy, [0.35, 0.7]))
count = rng.poisson(np.exp(np.clip(noisy / 2, -3, 2)))
kinds = ["zero", "one", "two", "three", "four", "five"]

BASE = {"num_leaves": 6, "min_data_in_leaf": 3, "min_sum_hessian_in_leaf": 0, "learning_rate": 0.3, "verbosity": -1, "num_threads": 1,
        "deterministic": True, "seed": SEED, "min_data_in_bin": 1, "min_data_per_group": 2, "cat_smooth": 1, "cat_l2": 1}
CASES = {
    "binary": ({"objective": "binary"}, binary, "missing"),
    "binary with a steep sigmoid": ({"objective": "binary", "sigmoid": 2.5}, binary, "missing"),
    "nothing missing in training": ({"objective": "binary"}, binary, "complete"),
    "zeros as missing": ({"objective": "regression", "zero_as_missing": True}, noisy, "missing"),
    "missing values not used": ({"objective": "regression", "use_missing": False}, noisy, "missing"),
    "three classes": ({"objective": "multiclass", "num_class": 3}, three, "missing"),
    "two classes by softmax": ({"objective": "multiclass", "num_class": 2}, binary, "missing"),
    "regression": ({"objective": "regression"}, noisy, "missing"),
    "absolute error": ({"objective": "regression_l1"}, noisy, "missing"),
    "quantile": ({"objective": "quantile", "alpha": 0.8}, noisy, "missing"),
    "poisson": ({"objective": "poisson"}, count, "missing"),
    "dart": ({"objective": "binary", "boosting": "dart", "drop_rate": 0.5}, binary, "missing"),
    "forest": ({"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}, binary, "missing"),
    "categories": ({"objective": "regression", "max_cat_to_onehot": 1}, noisy, "codes"),
    "one-hot categories": ({"objective": "regression", "max_cat_to_onehot": 100}, noisy, "codes"),
    "pandas categories": ({"objective": "binary", "max_cat_to_onehot": 1}, binary, "pandas"),
    "no split": ({"objective": "regression", "min_data_in_leaf": 80}, noisy, "missing"),
}


def nullable(rows):
    return [[None if np.isnan(v) else float(v) for v in row] for row in rows]


cases = []
for name, (settings, y, kind) in CASES.items():
    train = X if kind == "complete" else with_missing
    rows = with_missing.astype(float)
    categorical = "auto"
    if kind == "codes":
        # Codes with gaps, and a missing one.
        column = (codes * 7 + 3).astype(float)
        column[0] = np.nan
        train = rows = np.column_stack([rows, column])
        categorical = [4]
    if kind == "pandas":
        train = rows = pandas.DataFrame(rows, columns=list("abcd")).assign(kind=pandas.Categorical.from_codes(codes, kinds))
    data = lightgbm.Dataset(train, y, feature_name=["a", "b", "c", "d", "kind"][: train.shape[1]], categorical_feature=categorical)
    booster = lightgbm.train({**BASE, **settings}, data, 4)
    cases.append({
        "name": name,
        # The list of training parameters says nothing to a reader.
        "text": re.sub(r"parameters:.*?end of parameters\n", "", booster.model_to_string(), flags=re.S),
        "kind": kind,
        "predictions": np.ravel(booster.predict(rows)).tolist(),
        "margins": np.ravel(booster.predict(rows, raw_score=True)).tolist(),
        "contribs": np.ravel(booster.predict(rows, pred_contrib=True)).tolist(),
    })

print(json.dumps({
    "library": "lightgbm",
    "version": lightgbm.__version__,
    "seed": SEED,
    "script": "make_lightgbm_models.py",
    "X": nullable(with_missing),
    "codes": codes.tolist(),
    "kinds": kinds,
    "cases": cases,
}))
