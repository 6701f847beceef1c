"""Writes metrics.json: scikit-learn's metrics and curves of seeded random predictions.
Run: python3 make_metrics.py > metrics.json"""
import json
import warnings

import numpy as np
import sklearn
from sklearn import metrics as m
from sklearn.calibration import calibration_curve
from sklearn.preprocessing import label_binarize

SEED = 20240607
warnings.simplefilter("ignore")


def classification_metrics(y, p, k, w):
    labels = list(range(k))
    pred = p.argmax(axis=1)
    average = lambda f, how: float(f(y, pred, average=how, zero_division=0, sample_weight=w))
    present = [c for c in labels if (y == c).any()]
    out = {
        "accuracy": float(m.accuracy_score(y, pred, sample_weight=w)),
        "balanced_accuracy": float(m.balanced_accuracy_score(y, pred, sample_weight=w)),
        "precision": average(m.precision_score, "weighted"),
        "recall": average(m.recall_score, "weighted"),
        "f1_score": average(m.f1_score, "weighted"),
        "precision_macro": average(m.precision_score, "macro"),
        "recall_macro": average(m.recall_score, "macro"),
        "f1_macro": average(m.f1_score, "macro"),
        "matthews_corrcoef": float(m.matthews_corrcoef(y, pred, sample_weight=w)),
        "log_loss": float(m.log_loss(y, p, labels=labels, sample_weight=w)),
        "n_samples": len(y),
    }
    kappa = float(m.cohen_kappa_score(y, pred, sample_weight=w))
    if not np.isnan(kappa):
        out["cohen_kappa"] = kappa
    if k == 2:
        if len(present) == 2:
            out["roc_auc"] = float(m.roc_auc_score(y, p[:, 1], sample_weight=w))
        if 1 in present:
            out["average_precision"] = float(m.average_precision_score(y, p[:, 1], sample_weight=w))
        out["brier_score"] = float(m.brier_score_loss(y, p[:, 1], sample_weight=w, pos_label=1))
    else:
        out["top_k_accuracy"] = float(m.top_k_accuracy_score(y, p, k=2, labels=labels, sample_weight=w))
        if len(present) == k:
            one_hot = label_binarize(y, classes=labels)
            out["roc_auc"] = float(m.roc_auc_score(one_hot, p, average="weighted", sample_weight=w))
            out["roc_auc_macro"] = float(m.roc_auc_score(one_hot, p, average="macro", sample_weight=w))
            out["average_precision"] = float(m.average_precision_score(one_hot, p, average="macro", sample_weight=w))
    return out


def class_report(y, p, k):
    values = m.precision_recall_fscore_support(y, p.argmax(axis=1), labels=list(range(k)), zero_division=0)
    return [[float(v) for v in row] for row in zip(*values)]


def golden(y, p, k, w):
    return {
        "classes": list(range(k)),
        "y_true": y.tolist(),
        "probabilities": p.ravel().tolist(),
        "sample_weights": w.tolist(),
        "metrics": classification_metrics(y, p, k, None),
        "weighted_metrics": classification_metrics(y, p, k, w),
        "report": class_report(y, p, k),
    }


def classification(rng, n, k, ties, absent=()):
    y = rng.integers(0, k, n)
    for c in absent:
        y[y == c] = 0
    raw = rng.random((n, k)) + np.eye(k)[y] * 0.4
    p = raw / raw.sum(axis=1, keepdims=True)
    if ties:
        p = np.round(p, 1)
        p = p / p.sum(axis=1, keepdims=True)
    return golden(y, p, k, np.round(rng.random(n) * 3, 2))


def one_class(label, certain):
    p = np.array([[0.8, 0.2] if certain else [0.3, 0.7]] * 5)
    return golden(np.full(5, label), p, 2, np.ones(5))


def regression_metrics(y, p, w):
    out = {
        "rmse": float(np.sqrt(m.mean_squared_error(y, p, sample_weight=w))),
        "mse": float(m.mean_squared_error(y, p, sample_weight=w)),
        "mae": float(m.mean_absolute_error(y, p, sample_weight=w)),
        "median_absolute_error": float(m.median_absolute_error(y, p, sample_weight=w)),
        "max_error": float(m.max_error(y, p)),
        "r2": float(m.r2_score(y, p, sample_weight=w)),
        "explained_variance": float(m.explained_variance_score(y, p, sample_weight=w)),
        "mape": float(m.mean_absolute_percentage_error(y, p, sample_weight=w)),
        "mean_pinball_loss": float(m.mean_pinball_loss(y, p, sample_weight=w)),
        "n_samples": len(y),
    }
    if (y >= 0).all() and (p > 0).all():
        out["mean_poisson_deviance"] = float(m.mean_poisson_deviance(y, p, sample_weight=w))
    return out


def regression_golden(y, p, w):
    return {
        "y_true": y.tolist(),
        "y_pred": p.tolist(),
        "sample_weights": w.tolist(),
        "metrics": regression_metrics(y, p, None),
        "weighted_metrics": regression_metrics(y, p, w),
        "pinball_0.9": float(m.mean_pinball_loss(y, p, alpha=0.9)),
    }


def regression(rng, n, with_zero):
    y = rng.normal(3, 5, n)
    if with_zero:
        y[0] = 0.0
    return regression_golden(y, y + rng.normal(0, 1, n), np.round(rng.random(n) * 3, 2))


def counts(rng, n):
    y = rng.poisson(2.0, n).astype(float)
    return regression_golden(y, y * 0.5 + rng.random(n) + 0.1, np.round(rng.random(n) * 3, 2))


def curves(rng, n, ties):
    y = rng.integers(0, 2, n)
    scores = np.clip(rng.normal(0.35 + 0.3 * y, 0.2), 0, 1)
    if ties:
        scores = np.round(scores, 1)
    w = np.round(rng.random(n) * 3, 2)
    as_lists = lambda arrays: [a.tolist() for a in arrays]
    return {
        "y_true": y.tolist(),
        "scores": scores.tolist(),
        "sample_weights": w.tolist(),
        "roc": as_lists(m.roc_curve(y, scores)),
        "roc_all": as_lists(m.roc_curve(y, scores, drop_intermediate=False)),
        "roc_weighted": as_lists(m.roc_curve(y, scores, sample_weight=w)),
        "precision_recall": as_lists(m.precision_recall_curve(y, scores)),
        "precision_recall_weighted": as_lists(m.precision_recall_curve(y, scores, sample_weight=w)),
        "calibration_uniform": as_lists(calibration_curve(y, scores, n_bins=7, strategy="uniform")),
        "calibration_quantile": as_lists(calibration_curve(y, scores, n_bins=7, strategy="quantile")),
    }


def confusion(rng, n, k):
    y, p = rng.integers(0, k, n), rng.integers(0, k - 1, n)
    normalized = lambda how: m.confusion_matrix(y, p, labels=list(range(k + 1)), normalize=how).ravel().tolist()
    return {"n_classes": k + 1, "y_true": y.tolist(), "y_pred": p.tolist(),
            **{how: normalized(how) for how in ("true", "pred", "all")}}


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
        "only the first of two classes, predicted": one_class(0, True),
        "only the second of two classes, missed": one_class(1, True),
    },
    "regression": {
        "plain": regression(rng, 50, False),
        "a true value of zero": regression(rng, 50, True),
        "counts": counts(rng, 60),
        "constant truth": regression_golden(np.full(6, 4.0), np.array([3.0, 4, 5, 4, 4, 6]), np.arange(1.0, 7)),
        "constant truth, met": regression_golden(np.full(4, 2.5), np.full(4, 2.5), np.ones(4)),
        "constant truth, constant error": regression_golden(np.full(4, 2.5), np.full(4, 3.5), np.ones(4)),
    },
    "curves": {"without ties": curves(rng, 70, False), "with ties": curves(rng, 70, True)},
    "confusion": confusion(rng, 40, 4),
}))
