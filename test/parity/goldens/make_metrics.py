"""Writes metrics.json: scikit-learn's metrics of seeded random predictions. Run: python3 make_metrics.py > metrics.json"""
import json

import numpy as np
import sklearn
from sklearn import metrics as m

SEED = 20240607


def classification(rng, n, k, ties, absent=()):
    y = rng.integers(0, k, n)
    for c in absent:
        y[y == c] = 0
    raw = rng.random((n, k)) + np.eye(k)[y] * 0.4
    p = raw / raw.sum(axis=1, keepdims=True)
    if ties:
        p = np.round(p, 1)
        p = p / p.sum(axis=1, keepdims=True)
    labels = list(range(k))
    pred = p.argmax(axis=1)
    average = lambda f, how: float(f(y, pred, average=how, zero_division=0))
    out = {
        "accuracy": float(m.accuracy_score(y, pred)),
        "precision": average(m.precision_score, "weighted"),
        "recall": average(m.recall_score, "weighted"),
        "f1_score": average(m.f1_score, "weighted"),
        "precision_macro": average(m.precision_score, "macro"),
        "recall_macro": average(m.recall_score, "macro"),
        "f1_macro": average(m.f1_score, "macro"),
        "log_loss": float(m.log_loss(y, p, labels=labels)),
        "n_samples": n,
    }
    if k == 2:
        out["roc_auc"] = float(m.roc_auc_score(y, p[:, 1]))
        out["average_precision"] = float(m.average_precision_score(y, p[:, 1]))
    elif not absent:
        out["roc_auc"] = float(m.roc_auc_score(y, p, multi_class="ovr", average="weighted"))
    return {"classes": labels, "y_true": y.tolist(), "probabilities": p.ravel().tolist(), "metrics": out}


def regression(rng, n, with_zero):
    y = rng.normal(3, 5, n)
    if with_zero:
        y[0] = 0.0
    p = y + rng.normal(0, 1, n)
    out = {
        "rmse": float(np.sqrt(m.mean_squared_error(y, p))),
        "mae": float(m.mean_absolute_error(y, p)),
        "r2": float(m.r2_score(y, p)),
        "mape": float(m.mean_absolute_percentage_error(y, p)),
        "n_samples": n,
    }
    return {"y_true": y.tolist(), "y_pred": p.tolist(), "metrics": out}


rng = np.random.default_rng(SEED)
print(json.dumps({
    "library": "scikit-learn",
    "version": sklearn.__version__,
    "seed": SEED,
    "script": "make_metrics.py",
    "classification": {
        "two classes": classification(rng, 60, 2, False),
        "two classes with ties": classification(rng, 60, 2, True),
        "four classes": classification(rng, 80, 4, False),
        "four classes with ties": classification(rng, 80, 4, True),
        "five classes of which two have no rows": classification(rng, 50, 5, False, absent=(1, 4)),
    },
    "regression": {
        "plain": regression(rng, 50, False),
        "a true value of zero": regression(rng, 50, True),
    },
}))
