"""Fits of scikit-learn and XGBoost on request: one line of JSON in, one out. Started with the number of threads.

The process has OMP_NUM_THREADS and its kin set to the same number before anything is imported.
"""
import gc
import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
threads = int(sys.argv[1])
import numpy as np

state = {}


def load(folder):
    state.clear()
    gc.collect()
    with open(os.path.join(folder, "set.json")) as file:
        facts = json.load(file)
    X = np.fromfile(os.path.join(folder, "X.f32"), np.float32).reshape(facts["n_rows"], facts["n_features"])
    y = np.fromfile(os.path.join(folder, "y.f32"), np.float32)
    test = np.arange(len(y)) % 5 == 4
    state.update(facts, X=np.ascontiguousarray(X[~test]), y=y[~test], X_test=np.ascontiguousarray(X[test]), y_test=y[test])


def is_classification():
    return state["task"] == "classification"


def hgb(p):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    Model = HistGradientBoostingClassifier if is_classification() else HistGradientBoostingRegressor
    return Model(
        max_iter=p["n_estimators"], max_leaf_nodes=p["max_leaf_nodes"], max_bins=p["max_bins"],
        learning_rate=p["learning_rate"], min_samples_leaf=p["min_samples_leaf"], early_stopping=False, random_state=0,
    ).fit(state["X"], state["y"])


class Booster:
    def __init__(self, booster):
        self.booster = booster

    def predict(self, X):
        import xgboost

        p = self.booster.predict(xgboost.DMatrix(X, nthread=threads))
        return p.argmax(axis=1) if p.ndim == 2 else p

    def predict_proba(self, X):
        p = self.predict(X)
        return np.stack([1 - p, p], axis=1)


def xgb(p):
    import xgboost

    params = {"tree_method": "hist", "max_depth": 6, "max_bin": 256, "eta": p["learning_rate"], "nthread": threads, "verbosity": 0}
    if not is_classification():
        params["objective"] = "reg:squarederror"
    elif state["n_classes"] == 2:
        params["objective"] = "binary:logistic"
    else:
        params.update(objective="multi:softprob", num_class=state["n_classes"])
    data = xgboost.DMatrix(state["X"], state["y"], nthread=threads)
    return Booster(xgboost.train(params, data, p["n_estimators"]))


def rf(p):
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    Model = RandomForestClassifier if is_classification() else RandomForestRegressor
    # scikit-learn's forests take no NaN; a value below all others can be split off.
    return make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1), Model(p["n_estimators"], n_jobs=threads, random_state=0)
    ).fit(state["X"], state["y"])


def lr(p):
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    categorical = state["categorical"]
    numeric = [j for j in range(state["n_features"]) if j not in categorical]
    encoding = ColumnTransformer([
        ("numeric", make_pipeline(SimpleImputer(), StandardScaler()), numeric),
        ("categorical", OneHotEncoder(handle_unknown="ignore"), categorical),
    ])
    model = LogisticRegression(max_iter=p["max_iter"]) if is_classification() else Ridge()
    return make_pipeline(encoding, model).fit(state["X"], state["y"])


def metric(model):
    from sklearn.metrics import accuracy_score, mean_squared_error, roc_auc_score

    X, y = state["X_test"], state["y_test"]
    if not is_classification():
        return float(mean_squared_error(y, model.predict(X), squared=False))
    if state["n_classes"] == 2:
        return float(roc_auc_score(y, model.predict_proba(X)[:, 1]))
    return float(accuracy_score(y, model.predict(X)))


def status_bytes(field):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    raise ValueError(field)


peers = {"hgb": hgb, "xgb": xgb, "rf": rf, "lr": lr}


def answer(question):
    command = question["command"]
    if command == "available":
        import sklearn

        versions = {"scikit-learn": sklearn.__version__}
        try:
            import xgboost

            versions["xgboost"] = xgboost.__version__
        except ImportError:
            pass
        return {"versions": versions}
    if command == "load":
        load(question["folder"])
        return {}
    settings = question["settings"]
    if command == "explain":
        return explain(settings, question["rows"])
    fit = peers[question["peer"]]
    if command == "score":
        return {"metric": metric(fit(settings))}
    if command == "memory":
        warm_up(fit, settings)
        gc.collect()
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        before = status_bytes("VmRSS")
        model = fit(settings)
        return {"bytes": status_bytes("VmHWM") - before, "kept": model is not None}
    before = time.perf_counter()
    fit(settings)
    return {"seconds": time.perf_counter() - before}


def explain(p, rows):
    import xgboost

    # Leaf-wise trees of 31 leaves, as ours; xgb above is depth-wise.
    params = {"tree_method": "hist", "grow_policy": "lossguide", "max_leaves": p["max_leaf_nodes"], "max_depth": 0,
              "eta": p["learning_rate"], "objective": "binary:logistic", "nthread": threads, "verbosity": 0}
    booster = xgboost.train(params, xgboost.DMatrix(state["X"], state["y"], nthread=threads), p["n_estimators"])

    def milliseconds(X):
        data = xgboost.DMatrix(X, nthread=threads)
        times = []
        for _ in range(5):
            before = time.perf_counter()
            booster.predict(data, pred_contribs=True)
            times.append(1000 * (time.perf_counter() - before))
        return sorted(times)[2]

    return {"one": milliseconds(state["X_test"][:1]), "many": milliseconds(state["X_test"][:rows])}


def warm_up(fit, settings):
    """Imports and thread pools are not memory of the fit: a few rows are fitted first."""
    X, y = state["X"], state["y"]
    few = np.concatenate([np.flatnonzero(y == label)[:50] for label in np.unique(y)[:10]])
    state.update(X=X[few], y=y[few], X_test=None, y_test=None)
    fit({**settings, "n_estimators": 2, "max_iter": 2})
    state.update(X=X, y=y)


for line in sys.stdin:
    try:
        result = answer(json.loads(line))
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(result), flush=True)
