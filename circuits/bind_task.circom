pragma circom 2.2.3;

// Makes a proof one for a certain task, attempt and worker. `task` is public and the verifier computes it itself, so that a proof
// taken from one task does not verify for another. The square keeps the signal in the constraint system.
template BindTask() {
    signal input task;
    signal square <== task * task;
}
