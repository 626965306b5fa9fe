"""Peers, each with its own defaults; constraints are given to those that take them, others see a penalty."""

import math
import random
import warnings

import numpy as np

warnings.filterwarnings("ignore")

# scikit-optimize's boosted trees call it by its name of before NumPy 2.4.
if not hasattr(np, "in1d"):
    np.in1d = np.isin


def _optuna(make_sampler):
    def run(oracle, evaluations, seed):
        import optuna
        optuna.logging.set_verbosity(optuna.logging.ERROR)

        def constraints(trial):
            return (trial.user_attrs.get("violation", 1.0),)

        sampler = make_sampler(optuna, seed, constraints)
        count = 1 if oracle.is_scalar else len(oracle.objectives)
        study = optuna.create_study(directions=["minimize"] * count, sampler=sampler)
        names = [f"x{i:02d}" for i in range(len(oracle.sizes))]

        def objective(trial):
            vector = [
                trial.suggest_categorical(name, list(range(size))) if categorical
                else trial.suggest_int(name, 0, size - 1)
                for name, size, categorical in zip(names, oracle.sizes, oracle.is_categorical)]
            values, violation = oracle(vector)
            trial.set_user_attr("violation", violation if violation > 0 else -1.0)
            return values if count > 1 else values[0]

        study.optimize(objective, n_trials=evaluations)
    return run


optuna_tpe = _optuna(lambda o, s, c: o.samplers.TPESampler(seed=s, constraints_func=c))
optuna_nsga2 = _optuna(lambda o, s, c: o.samplers.NSGAIISampler(seed=s, constraints_func=c))
optuna_gp = _optuna(lambda o, s, c: o.samplers.GPSampler(seed=s, constraints_func=c))


class Scalariser:
    """For peers of one objective: augmented Chebyshev distances (ParEGO) with weights drawn anew every so many trials; what is infeasible
    comes after all that is feasible, by its violation."""

    def __init__(self, seed, dimension):
        self.random = random.Random(seed)
        self.dimension = dimension
        self.draw()

    def draw(self):
        weights = [-math.log(1 - self.random.random()) for _ in range(self.dimension)]
        self.weights = [w / sum(weights) for w in weights]

    def __call__(self, rows):
        values = np.array([row for row, _ in rows], dtype=float)
        violations = np.array([violation for _, violation in rows])
        if self.dimension == 1:
            loss = values[:, 0]
        else:
            # Costs span orders of magnitude: their logarithm, as the hypervolume has it; accuracy comes negated.
            values = np.where(values > 0, np.log(np.maximum(values, 1e-12)), values)
            low, high = values.min(axis=0), values.max(axis=0)
            scaled = (values - low) / np.maximum(high - low, 1e-12) * np.array(self.weights)
            loss = scaled.max(axis=1) + 0.05 * scaled.sum(axis=1)
        feasible = violations == 0
        worst = loss[feasible].max() if feasible.any() else 1.0
        return np.where(feasible, loss, worst + (1 + np.minimum(violations, 10)) * max(abs(worst), 0.01))


def _skopt(estimator):
    def run(oracle, evaluations, seed):
        from sklearn.ensemble import GradientBoostingRegressor
        from skopt import Optimizer
        from skopt.learning import GradientBoostingQuantileRegressor
        from skopt.space import Categorical, Integer

        class Quantiles(GradientBoostingQuantileRegressor):
            """Newer scikit-learn does not know skopt's own as a regressor."""

            def __sklearn_tags__(self):
                tags = super().__sklearn_tags__()
                tags.estimator_type = "regressor"
                return tags

        def fresh(state):
            if estimator != "GBRT":
                return estimator
            # What skopt makes of "GBRT".
            return Quantiles(
                base_estimator=GradientBoostingRegressor(n_estimators=30, loss="quantile"), random_state=state)

        dimensions = [
            Categorical(list(range(size))) if categorical else Integer(0, size - 1)
            for size, categorical in zip(oracle.sizes, oracle.is_categorical)]
        scalarise = Scalariser(seed, 1 if oracle.is_scalar else len(oracle.objectives))
        vectors, rows = [], []
        segment = 20
        while len(vectors) < evaluations:
            optimizer = Optimizer(
                dimensions, base_estimator=fresh(seed + len(vectors)), random_state=seed + len(vectors),
                n_initial_points=20 if not vectors else 0, acq_optimizer="auto")
            scalarise.draw()
            if vectors:
                optimizer.tell(vectors, list(scalarise(rows)))
            for _ in range(min(segment, evaluations - len(vectors))):
                vector = optimizer.ask()
                rows.append(oracle(vector))
                vectors.append(vector)
                optimizer.tell(vector, float(scalarise(rows)[-1]))
            if oracle.is_scalar:
                segment = evaluations
    return run


skopt_forest, skopt_gbrt, skopt_gp = _skopt("RF"), _skopt("GBRT"), _skopt("GP")


def _pymoo(name):
    def run(oracle, evaluations, seed):
        from pymoo.algorithms.moo.nsga2 import NSGA2
        from pymoo.algorithms.moo.nsga3 import NSGA3
        from pymoo.core.problem import ElementwiseProblem
        from pymoo.operators.crossover.sbx import SBX
        from pymoo.operators.mutation.pm import PM
        from pymoo.operators.repair.rounding import RoundingRepair
        from pymoo.operators.sampling.rnd import IntegerRandomSampling
        from pymoo.optimize import minimize
        from pymoo.util.ref_dirs import get_reference_directions
        count = 1 if oracle.is_scalar else len(oracle.objectives)

        class Problem(ElementwiseProblem):
            def __init__(self):
                super().__init__(
                    n_var=len(oracle.sizes), n_obj=count, n_ieq_constr=1, xl=0,
                    xu=np.array(oracle.sizes) - 1, vtype=int)

            def _evaluate(self, x, out, *args, **kwargs):
                values, violation = oracle(x)
                out["F"] = values
                out["G"] = [violation if violation > 0 else -1.0]

        settings = dict(
            sampling=IntegerRandomSampling(), crossover=SBX(prob=0.9, eta=15, vtype=float, repair=RoundingRepair()),
            mutation=PM(eta=20, vtype=float, repair=RoundingRepair()), eliminate_duplicates=True)
        if name == "nsga2":
            algorithm = NSGA2(pop_size=50, **settings)
        else:
            directions = (
                get_reference_directions("energy", count, 50, seed=seed) if count > 1 else np.array([[1.0]]))
            algorithm = NSGA3(ref_dirs=directions, pop_size=50, **settings)
        minimize(Problem(), algorithm, ("n_eval", evaluations), seed=seed, verbose=False)
    return run


pymoo_nsga2, pymoo_nsga3 = _pymoo("nsga2"), _pymoo("nsga3")


def hebo(oracle, evaluations, seed):
    import pandas as pd
    from hebo.design_space.design_space import DesignSpace
    from hebo.optimizers.hebo import HEBO
    np.random.seed(seed)
    space = DesignSpace().parse([
        {"name": f"x{i:02d}", "type": "cat", "categories": list(range(size))} if categorical
        else {"name": f"x{i:02d}", "type": "int", "lb": 0, "ub": size - 1}
        for i, (size, categorical) in enumerate(zip(oracle.sizes, oracle.is_categorical))])
    scalarise = Scalariser(seed, 1 if oracle.is_scalar else len(oracle.objectives))
    suggested, rows = pd.DataFrame(), []
    while len(rows) < evaluations:
        optimizer = HEBO(space)
        scalarise.draw()
        if rows:
            optimizer.observe(suggested, scalarise(rows).reshape(-1, 1))
        for _ in range(min(20, evaluations - len(rows))):
            frame = optimizer.suggest(n_suggestions=1)
            rows.append(oracle([frame.iloc[0][f"x{i:02d}"] for i in range(len(oracle.sizes))]))
            suggested = pd.concat([suggested, frame], ignore_index=True)
            optimizer.observe(frame, scalarise(rows)[-1:].reshape(-1, 1))


PEERS = {
    "optuna-tpe": optuna_tpe, "optuna-nsga2": optuna_nsga2, "optuna-gp": optuna_gp, "skopt-forest": skopt_forest,
    "skopt-gbrt": skopt_gbrt, "skopt-gp": skopt_gp, "pymoo-nsga2": pymoo_nsga2, "pymoo-nsga3": pymoo_nsga3, "hebo": hebo,
}

# The most evaluations that are asked of a peer: its own time grows with the cube of their number.
MOST = {"optuna-gp": 100, "skopt-gp": 500, "hebo": 100, "skopt-forest": 500, "skopt-gbrt": 500}
