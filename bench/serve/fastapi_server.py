"""The peer: FastAPI, async, with scikit-learn's HistGradientBoostingClassifier of the same shape on the same rows."""
import sys

import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from sklearn.ensemble import HistGradientBoostingClassifier

folder, n_columns, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
features = np.fromfile(f"{folder}/X.f32", dtype=np.float32).reshape(-1, n_columns)
target = np.fromfile(f"{folder}/y.f32", dtype=np.float32)
train = np.arange(len(target)) % 5 != 4
model = HistGradientBoostingClassifier(
    max_iter=100, max_leaf_nodes=31, learning_rate=0.1, min_samples_leaf=20, early_stopping=False
).fit(features[train], target[train])

app = FastAPI()


@app.post("/predict")
async def predict(request: Request):
    body = await request.json()
    probabilities = model.predict_proba(np.asarray([body["input_data"]], dtype=np.float32))[0]
    best = int(probabilities.argmax())
    return {
        "prediction": best,
        "probabilities": probabilities.tolist(),
        "confidence": float(probabilities[best]),
    }


uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
