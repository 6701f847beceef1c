"""Writes linear.json: scikit-learn's linear models on small seeded data. Run: python3 make_linear.py > linear.json"""
import json
import warnings

import numpy as np
import sklearn
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
SEED = 20240711
rng = np.random.default_rng(SEED)
N = 200
X = np.round(rng.normal(0, 1, (N, 5)) * [1, 10, 0.1, 3, 1] + [0, 100, 5, -2, 0], 3).astype(np.float32).astype(float)
# The last column repeats the first, and the full one-hot encoding below adds up to the intercept.
X[:, 4] = X[:, 0]
category = rng.integers(0, 4, N)
signal = X[:, 0] + (X[:, 1] - 100) / 10 + (X[:, 2] - 5) * 8 + np.array([0, 1, -1, 0.5])[category]
noisy = signal + rng.normal(0, 0.7, N)
y_reg = np.round(noisy * 3 + 20, 4)
y_bin = (noisy > 0).astype(int)
y_multi = np.digitize(noisy, np.quantile(noisy, [0.35, 0.7]))
design = np.hstack([StandardScaler().fit_transform(X), np.eye(4)[category]])


def regression(model):
    model.fit(design, y_reg)
    return {"coefficients": model.coef_.tolist(), "intercept": float(model.intercept_)}


def logistic(y, **settings):
    model = LogisticRegression(solver="saga", tol=1e-13, max_iter=200_000, random_state=0, **settings).fit(design, y)
    return {**settings, "probabilities": np.round(model.predict_proba(design), 12).ravel().tolist(),
            "zeros": int((np.abs(model.coef_) < 1e-9).sum())}


exact = dict(tol=1e-14, max_iter=100_000)
print(json.dumps({
    "library": "scikit-learn",
    "version": sklearn.__version__,
    "seed": SEED,
    "script": "make_linear.py",
    "X": X.tolist(),
    "category": category.tolist(),
    "y_regression": y_reg.tolist(),
    "y_binary": y_bin.tolist(),
    "y_multiclass": y_multi.tolist(),
    "linear_regression": regression(LinearRegression()),
    "lasso": {"alpha": 0.3, **regression(Lasso(alpha=0.3, **exact))},
    "elastic_net": {"alpha": 0.2, "l1_ratio": 0.4, **regression(ElasticNet(alpha=0.2, l1_ratio=0.4, **exact))},
    "logistic": [
        logistic(y, **settings)
        for y, settings in [
            (y_bin, dict(penalty="l2", C=0.5)),
            (y_bin, dict(penalty="l1", C=0.5)),
            (y_bin, dict(penalty="elasticnet", l1_ratio=0.3, C=0.5)),
            (y_bin, dict(penalty="l1", C=0.3, class_weight="balanced")),
            (y_multi, dict(penalty="l2", C=0.5)),
            (y_multi, dict(penalty="l1", C=0.5)),
            (y_multi, dict(penalty="elasticnet", l1_ratio=0.3, C=0.5)),
        ]
    ],
}))
