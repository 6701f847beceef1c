"""Writes estimators.json: scikit-learn's estimators on small seeded data. Run: python3 make_estimators.py > estimators.json"""
import json

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

SEED = 20240608
rng = np.random.default_rng(SEED)
N = 240
# float32 values, as the learners see them; few digits keep the file small.
X = np.round(rng.normal(0, 1, (N, 3)) * [1, 10, 0.1] + [0, 100, 5], 3).astype(np.float32).astype(float)
category = rng.integers(0, 4, N)
signal = X[:, 0] + (X[:, 1] - 100) / 10 * X[:, 0] + (X[:, 2] - 5) * 8 + np.array([0, 1, -1, 0.5])[category]
noisy = signal + rng.normal(0, 0.5, N)
y_reg = np.round(noisy * 3 + 20, 4)
y_bin = (noisy > 0).astype(int)
y_multi = np.digitize(noisy, np.quantile(noisy, [0.35, 0.7]))

design = np.hstack([StandardScaler().fit_transform(X), np.eye(4)[category]])
ridge = Ridge(alpha=2.5, solver="cholesky").fit(design, y_reg)
binary = LogisticRegression(C=0.7, solver="newton-cg", tol=1e-12, max_iter=10000).fit(design, y_bin)
multi = LogisticRegression(C=0.7, solver="newton-cg", tol=1e-12, max_iter=10000, multi_class="multinomial").fit(design, y_multi)
balanced = LogisticRegression(C=0.7, solver="newton-cg", tol=1e-12, max_iter=10000, class_weight="balanced").fit(design, y_bin)

with_missing = X.copy()
with_missing[rng.random(X.shape) < 0.1] = np.nan
settings = dict(max_iter=20, learning_rate=0.2, max_leaf_nodes=8, min_samples_leaf=10, l2_regularization=0.5, early_stopping=False)
hgb_reg = HistGradientBoostingRegressor(**settings).fit(with_missing, y_reg)
hgb_bin = HistGradientBoostingClassifier(**settings).fit(with_missing, y_bin)
hgb_multi = HistGradientBoostingClassifier(**settings).fit(with_missing, y_multi)

nullable = [[None if np.isnan(v) else v for v in row] for row in with_missing.tolist()]
print(json.dumps({
    "library": "scikit-learn",
    "version": sklearn.__version__,
    "seed": SEED,
    "script": "make_estimators.py",
    "X": X.tolist(),
    "category": category.tolist(),
    "X_missing": nullable,
    "y_regression": y_reg.tolist(),
    "y_binary": y_bin.tolist(),
    "y_multiclass": y_multi.tolist(),
    "ridge": {"alpha": 2.5, "predictions": ridge.predict(design).tolist()},
    "logistic_binary": {"C": 0.7, "probabilities": binary.predict_proba(design).ravel().tolist()},
    "logistic_multiclass": {"C": 0.7, "probabilities": multi.predict_proba(design).ravel().tolist()},
    "logistic_balanced": {"C": 0.7, "probabilities": balanced.predict_proba(design).ravel().tolist()},
    "boosting_settings": {k: v for k, v in settings.items() if k != "early_stopping"},
    "boosting_regression": hgb_reg.predict(with_missing).tolist(),
    "boosting_binary": hgb_bin.predict_proba(with_missing).ravel().tolist(),
    "boosting_multiclass": hgb_multi.predict_proba(with_missing).ravel().tolist(),
}))
