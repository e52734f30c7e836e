// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRewardDistributor} from "../../src/interfaces/IRewardDistributor.sol";
import {ISlashingManager} from "../../src/interfaces/ISlashingManager.sol";
import {Leaves} from "../../src/libraries/Leaves.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {StakeHandler} from "./StakeHandler.sol";

/// @notice The money of a random walk: deposits, batches with real certificates, faulty ones that are rolled back, claims,
/// withdrawals. The books after each batch are kept, as the pool keeps them.
abstract contract BatchHandler is StakeHandler {
    struct Books {
        uint256[ACCOUNTS] earned;
        uint256 spent;
        uint256 settledWei;
    }

    /// @dev By sequence; the first stand for the time before the first batch.
    TypedData.BatchHeader[] internal headers;
    Books[] internal books;
    mapping(bytes32 headerHash => uint256) internal sequenceOf;
    mapping(uint256 sequence => bytes32) internal finalAt;
    uint256 public finalSequence;
    uint256 public deposits;
    uint256 public withdrawals;
    uint256 public claims;
    uint256 public rolledBack;
    mapping(address account => uint256) public highestClaim;
    uint256 private _salt;

    function depositSome(uint256 amount) external {
        amount = bound(amount, 1, 1_000 ether);
        deposit(amount);
        deposits += amount;
    }

    /// @dev Within what the requester may spend, as validators check it.
    function settleBatch(uint256 who, uint256 amount, bool again) external {
        if (settlement.pausedUntil() > block.timestamp) return;
        Books memory next = books[books.length - 1];
        uint256 spendable = escrow.spendableOf(REQUESTER);
        amount = bound(amount, 0, spendable > next.spent ? spendable - next.spent : 0);
        next.earned[who % ACCOUNTS] += amount;
        next.spent += amount;
        next.settledWei += amount;
        TypedData.BatchHeader memory header = nextHeader(_root(next), next.settledWei);
        // One in two of those that can settles the task of the batch before again.
        bool isFaulty = again && headers.length > 1;
        header.taskRoot = isFaulty ? headers[headers.length - 1].taskRoot : Leaves.hash(_task(++_salt));
        bytes32 hash = settlement.hashHeader(header);
        settlement.settle(header, _everybody(), _signatures(hash));
        headers.push(header);
        books.push(next);
        sequenceOf[hash] = header.sequence;
        lookAtFinal();
    }

    function rollBack() external {
        uint256 last = headers.length - 1;
        if (last < 2 || headers[last].taskRoot != headers[last - 1].taskRoot) return;
        if (settlement.finalHeader() == settlement.hashHeader(headers[last])) return;
        TypedData.BatchHeader[] memory path = new TypedData.BatchHeader[](2);
        (path[0], path[1]) = (headers[last - 1], headers[last]);
        ISlashingManager.SettledTask memory place = ISlashingManager.SettledTask(_taskOf(path[0]), new bytes32[](0));
        slashing.proveDoubleSettlement(path, place, place);
        TypedData.BatchHeader[] memory fallen = new TypedData.BatchHeader[](1);
        fallen[0] = path[1];
        settlement.rollBack(path[0], fallen);
        headers.pop();
        books.pop();
        rolledBack += 1;
        lookAtFinal();
    }

    function pauseAWhile(uint256 chance, uint256 wait) external {
        if (chance % 8 != 0) return;
        vm.startPrank(GUARDIAN);
        try settlement.pause() {} catch {}
        vm.warp(block.timestamp + bound(wait, 0, 72 hours));
        if (wait % 2 == 0) settlement.unpause();
        vm.stopPrank();
        lookAtFinal();
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 0, 2 * uint256(CHALLENGE)));
        lookAtFinal();
    }

    /// @dev Against the newest final header, whatever came after it.
    function claim(uint256 who) external {
        if (finalSequence == 0 || settlement.pausedUntil() > block.timestamp) return;
        lookAtFinal();
        address node = account(who);
        uint256 index = who % ACCOUNTS;
        Books memory final_ = books[finalSequence];
        uint256 before = distributor.claimedOf(node);
        if (final_.earned[index] == before) return;
        distributor.claim(
            headers[finalSequence], IRewardDistributor.Claim(node, final_.earned[index], _proof(final_, index))
        );
        claims += final_.earned[index] - before;
        if (distributor.claimedOf(node) < highestClaim[node]) violation = "a claim fell";
        if (distributor.claimedOf(node) > final_.earned[index]) violation = "claimed more than proven";
        highestClaim[node] = distributor.claimedOf(node);
    }

    function requestWithdrawal(uint256 amount) external {
        uint256 available = escrow.spendableOf(REQUESTER);
        if (available == 0) return;
        vm.prank(REQUESTER);
        escrow.requestWithdrawal(bound(amount, 1, available));
    }

    function cancelWithdrawal() external {
        if (escrow.withdrawalOf(REQUESTER).amount == 0) return;
        vm.prank(REQUESTER);
        escrow.cancelWithdrawal();
    }

    /// @dev The pool proves what was spent while the requester waits.
    function withdraw(uint256 wait) external {
        if (escrow.withdrawalOf(REQUESTER).amount == 0) return;
        vm.warp(block.timestamp + bound(wait, 0, 2 * uint256(WITHDRAWAL)));
        lookAtFinal();
        uint256 pausedUntil = settlement.pausedUntil();
        if (pausedUntil > block.timestamp) return;
        if (finalSequence != headers.length - 1) return;
        proveSpent();
        uint256 readyAt = escrow.withdrawalOf(REQUESTER).readyAt;
        bool isDue = block.timestamp >= readyAt && block.timestamp >= pausedUntil + WITHDRAWAL;
        vm.prank(REQUESTER);
        try escrow.withdraw(REQUESTER) returns (uint256 amount) {
            if (!isDue) violation = "a deposit left before its time";
            withdrawals += amount;
        } catch {
            if (isDue) violation = "a deposit that is due was not paid";
        }
    }

    function proveSpent() public {
        lookAtFinal();
        if (finalSequence == 0 || settlement.pausedUntil() > block.timestamp) return;
        Books memory final_ = books[finalSequence];
        if (final_.spent <= escrow.provenSpentOf(REQUESTER)) return;
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = _balances(final_);
        escrow.proveSpent(headers[finalSequence], REQUESTER, final_.spent, proof);
    }

    /// @notice Finality never goes back, and a number that is final has one hash for ever.
    function lookAtFinal() public {
        bytes32 hash = settlement.finalHeader();
        uint256 sequence = hash == 0 ? 0 : sequenceOf[hash];
        if (sequence < finalSequence) violation = "finality went back";
        if (hash != 0 && sequence == 0) violation = "an unknown header is final";
        if (finalAt[sequence] != 0 && finalAt[sequence] != hash) violation = "two hashes are final at one number";
        (finalAt[sequence], finalSequence) = (hash, sequence);
    }

    /// @notice 1: the escrow holds deposits - withdrawals - claims.
    function checkEscrow() external view returns (bool) {
        return token.balanceOf(address(escrow)) == deposits - withdrawals - claims
            && escrow.totalDeposited() == deposits && escrow.totalWithdrawn() == withdrawals
            && escrow.totalPaid() == claims;
    }

    /// @notice 2: claimed <= settled <= deposits less withdrawals, and the balances add up to what is settled.
    function checkTotals() external view returns (bool) {
        (,, uint256 settledWei) = settlement.lastBatch();
        Books memory last = books[books.length - 1];
        uint256 sum = 0;
        for (uint256 i = 0; i < ACCOUNTS; ++i) {
            sum += last.earned[i];
        }
        return claims <= books[finalSequence].settledWei && settledWei == sum && settledWei == last.settledWei
            && settledWei <= deposits - withdrawals;
    }

    /// @notice 4: one number for each batch that stands, one more each time.
    function checkSequence() external view returns (bool) {
        (uint64 sequence, bytes32 hash,) = settlement.lastBatch();
        bool isLast = sequence == 0 ? hash == 0 : sequenceOf[hash] == sequence;
        return sequence == headers.length - 1 && isLast;
    }

    function begin() internal {
        headers.push();
        books.push();
    }

    function _task(uint256 salt) private pure returns (Leaves.Task memory task) {
        task.taskId = bytes32(salt);
    }

    /// @dev Salts are few: found again by trying.
    function _taskOf(TypedData.BatchHeader memory header) private view returns (Leaves.Task memory task) {
        for (uint256 salt = _salt; salt > 0; --salt) {
            task = _task(salt);
            if (Leaves.hash(task) == header.taskRoot) return task;
        }
    }

    function _everybody() private view returns (uint256) {
        return (uint256(1) << sets.validatorsOf(sets.epoch()).length) - 1;
    }

    /// @dev Of all members of the current epoch: those with a key that have not been expelled, in order.
    function _signatures(bytes32 digest) private view returns (bytes memory signatures) {
        address[] memory members = sets.validatorsOf(sets.epoch());
        uint256 next = 0;
        for (uint256 i = 0; i < keys.length; ++i) {
            if (next == members.length || validators[i] != members[next]) continue;
            signatures = bytes.concat(signatures, compact(keys[i], digest));
            ++next;
        }
    }

    /// @dev Four balances, then what was spent.
    function _root(Books memory book) private pure returns (bytes32) {
        return _pair(_balances(book), Leaves.hashSpent(REQUESTER, book.spent));
    }

    function _balances(Books memory book) private pure returns (bytes32) {
        return _pair(_pair(_leaf(book, 0), _leaf(book, 1)), _pair(_leaf(book, 2), _leaf(book, 3)));
    }

    function _proof(Books memory book, uint256 index) private pure returns (bytes32[] memory proof) {
        proof = new bytes32[](3);
        proof[0] = _leaf(book, index ^ 1);
        proof[1] = index < 2 ? _pair(_leaf(book, 2), _leaf(book, 3)) : _pair(_leaf(book, 0), _leaf(book, 1));
        proof[2] = Leaves.hashSpent(REQUESTER, book.spent);
    }

    function _leaf(Books memory book, uint256 index) private pure returns (bytes32) {
        return Leaves.hashBalance(account(index), book.earned[index]);
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
    }
}
