"""Writes xgboost-models.json: models that XGBoost saved, their predictions and pred_contribs on small seeded data.

Run: python3 make_xgboost_models.py > xgboost-models.json
"""
import base64
import json
import os
import tempfile

import numpy as np
import xgboost

SEED = 20240610
rng = np.random.default_rng(SEED)
N = 60
X = np.round(rng.normal(0, 1, (N, 4)), 2).astype(np.float32)
X[:, 2] = rng.integers(-2, 3, N)
X[rng.random(X.shape) < 0.1] = np.nan
codes = rng.integers(0, 6, N).astype(np.float32)
codes[rng.random(N) < 0.1] = np.nan
signal = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1] * X[:, 2]) + np.array([0, 1, -1, 0.5, 2, -2, 0])[np.nan_to_num(codes, nan=6).astype(int)]
noisy = signal + rng.normal(0, 0.3, N)
binary = (noisy > 0).astype(int)
three = np.digitize(noisy, np.quantile(noisy, [0.35, 0.7]))
count = rng.poisson(np.exp(np.clip(noisy / 2, -3, 2)))

BASE = {"max_depth": 3, "eta": 0.4, "lambda": 0.5, "seed": SEED, "nthread": 1, "verbosity": 0, "tree_method": "hist", "min_child_weight": 0.1}
CASES = {
    "binary": ({"objective": "binary:logistic", "base_score": 0.3}, binary, False),
    "binary exact": ({"objective": "binary:logistic", "tree_method": "exact"}, binary, False),
    "three classes": ({"objective": "multi:softprob", "num_class": 3}, three, False),
    "three classes by softmax": ({"objective": "multi:softmax", "num_class": 3}, three, False),
    "two classes by softmax": ({"objective": "multi:softprob", "num_class": 2}, binary, False),
    "regression": ({"objective": "reg:squarederror", "base_score": 1.5}, noisy, False),
    "absolute error": ({"objective": "reg:absoluteerror"}, noisy, False),
    "poisson": ({"objective": "count:poisson", "base_score": 0.8}, count, False),
    "tweedie": ({"objective": "reg:tweedie"}, count, False),
    "dart": ({"objective": "binary:logistic", "booster": "dart", "rate_drop": 0.5, "one_drop": 1}, binary, False),
    "dart, three classes": ({"objective": "multi:softprob", "num_class": 3, "booster": "dart", "rate_drop": 0.4}, three, False),
    "boosted forest": ({"objective": "multi:softprob", "num_class": 3, "num_parallel_tree": 2, "subsample": 0.7}, three, False),
    "categories": ({"objective": "reg:squarederror", "max_cat_to_onehot": 1}, noisy, True),
    "one-hot categories": ({"objective": "binary:logistic", "max_cat_to_onehot": 100}, binary, True),
}


def saved(booster, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model." + suffix)
        booster.save_model(path)
        with open(path, "rb") as file:
            return file.read()


def nullable(rows):
    return [[None if np.isnan(v) else v for v in row] for row in rows.tolist()]


cases = []
for name, (settings, y, with_codes) in CASES.items():
    data = np.column_stack([X, codes]) if with_codes else X
    types = ["q"] * 4 + (["c"] if with_codes else [])
    matrix = xgboost.DMatrix(data, y, feature_types=types, enable_categorical=True, feature_names=["a", "b", "c", "d", "kind"][: data.shape[1]])
    booster = xgboost.train({**BASE, **settings}, matrix, 4)
    contribs = None
    if not with_codes:  # XGBoost 1.7 has no pred_contribs with categorical splits.
        contribs = booster.predict(matrix, pred_contribs=True).ravel().tolist()
    softmax = settings["objective"] == "multi:softmax"
    cases.append({
        "name": name,
        "json": saved(booster, "json").decode(),
        "ubjson": base64.b64encode(saved(booster, "ubj")).decode(),
        "with_codes": with_codes,
        "predictions": booster.predict(matrix).ravel().tolist(),
        "is_label": softmax,
        "margins": booster.predict(matrix, output_margin=True).ravel().tolist(),
        "contribs": contribs,
    })

print(json.dumps({
    "library": "xgboost",
    "version": xgboost.__version__,
    "seed": SEED,
    "script": "make_xgboost_models.py",
    "X": nullable(X.astype(float).round(2)),
    "codes": [None if np.isnan(v) else int(v) for v in codes],
    "cases": cases,
}))
