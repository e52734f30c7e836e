// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../../src/interfaces/INodeRegistry.sol";
import {Evidence} from "../../../src/libraries/Evidence.sol";
import {TypedData} from "../../../src/libraries/TypedData.sol";
import {IGameModels} from "../../../src/zk/game/IGameModels.sol";
import {IInferenceGame} from "../../../src/zk/game/IInferenceGame.sol";
import {GameFixture} from "./GameFixture.sol";

/// @notice Opening, claiming, halving, deadlines and where the bonds go.
contract InferenceGameTest is GameFixture {
    function test_openingComputesWhereBothAgreeAndPullsTheBond() public {
        TypedData.Receipt memory receipt = honestReceipt();
        bytes32 digest = digestOf(receipt);
        bytes32 wanted = keccak256(abi.encode(digest, row, STRANGER));
        bytes memory signature = signReceipt(receipt);
        fund(STRANGER, address(game), GAME_BOND);
        vm.expectEmit(address(game));
        emit IInferenceGame.GameOpened(wanted, digest, worker, STRANGER, row);
        vm.expectEmit(address(game));
        emit IInferenceGame.Moved(wanted, STRANGER, IInferenceGame.Stage.Claiming, false, block.timestamp + MOVE);
        vm.prank(STRANGER);
        bytes32 id = game.open(openingOf(receipt, signature, row, rows));
        assertEq(id, wanted);
        IInferenceGame.Game memory state = game.gameOf(id);
        assertEq(state.agreed, roots[0]);
        assertEq(state.worker, worker);
        assertEq(token.balanceOf(address(game)), GAME_BOND);
    }

    function test_theSameChallengerOpensTheSameRowOnce() public {
        bytes32 id = open();
        TypedData.Receipt memory receipt = honestReceipt();
        bytes memory signature = signReceipt(receipt);
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.AlreadyOpened.selector, id));
        vm.prank(STRANGER);
        game.open(openingOf(receipt, signature, row, rows));
        // Another row, and another challenger, are games of their own: nobody shields a receipt by a game that it loses on purpose.
        assertTrue(openBy(STRANGER, receipt, 0) != id, "another row");
        assertTrue(openBy(REQUESTER, receipt, row) != id, "another challenger");
    }

    function test_receiptMustBeTheWorkers() public {
        TypedData.Receipt memory receipt = honestReceipt();
        bytes memory signature = signReceipt(receipt);
        receipt.attempt += 1;
        vm.expectPartialRevert(Evidence.NotSignedByWorker.selector);
        vm.prank(STRANGER);
        game.open(openingOf(receipt, signature, row, rows));
    }

    function test_rowMustBeOneOfTheRows() public {
        TypedData.Receipt memory receipt = honestReceipt();
        bytes memory signature = signReceipt(receipt);
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.InvalidRow.selector, rows, rows));
        game.open(openingOf(receipt, signature, rows, rows));
    }

    function test_unknownModelIsRefused() public {
        TypedData.Receipt memory receipt = honestReceipt();
        receipt.modelDigest = keccak256("floats");
        bytes memory signature = signReceipt(receipt);
        vm.expectRevert(abi.encodeWithSelector(IGameModels.UnknownModel.selector, receipt.modelDigest));
        game.open(openingOf(receipt, signature, row, rows));
    }

    function test_anotherInputIsRefused() public {
        TypedData.Receipt memory receipt = honestReceipt();
        bytes memory signature = signReceipt(receipt);
        input[3] = bytes1(uint8(input[3]) ^ 1);
        vm.expectPartialRevert(IGameModels.InputMismatch.selector);
        game.open(openingOf(receipt, signature, row, rows));
    }

    function test_inputOfAnotherNumberOfRowsIsRefused() public {
        TypedData.Receipt memory receipt = honestReceipt();
        bytes memory signature = signReceipt(receipt);
        vm.expectRevert(abi.encodeWithSelector(IGameModels.WrongLength.selector, 140, 210));
        game.open(openingOf(receipt, signature, row, 3));
    }

    function test_anotherOutputIsRefused() public {
        TypedData.Receipt memory receipt = honestReceipt();
        bytes memory signature = signReceipt(receipt);
        outputs[0][8] = bytes1(uint8(outputs[0][8]) ^ 1);
        vm.expectPartialRevert(IGameModels.OutputMismatch.selector);
        game.open(openingOf(receipt, signature, row, rows));
    }

    function test_outputsOfAnotherNumberOrLengthAreRefused() public {
        TypedData.Receipt memory receipt = honestReceipt();
        bytes memory signature = signReceipt(receipt);
        outputs.push("");
        vm.expectRevert(abi.encodeWithSelector(IGameModels.WrongLength.selector, 4, 3));
        game.open(openingOf(receipt, signature, row, rows));
        outputs.pop();
        outputs[2] = hex"00";
        vm.expectRevert(abi.encodeWithSelector(IGameModels.WrongLength.selector, 1, 8));
        game.open(openingOf(receipt, signature, row, rows));
    }

    function test_workerWithoutStakeIsNotChallenged() public {
        vm.startPrank(worker);
        registry.requestUnbond(worker, WORKER_BOND);
        vm.warp(block.timestamp + WORKER_DELAY);
        registry.withdraw(worker);
        vm.stopPrank();
        TypedData.Receipt memory receipt = honestReceipt();
        bytes memory signature = signReceipt(receipt);
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.WorkerHasNoStake.selector, worker));
        game.open(openingOf(receipt, signature, row, rows));
    }

    function test_logitsMustGiveWhatTheReceiptSays() public {
        bytes32 id = open();
        logits[0] += 1;
        vm.expectRevert(abi.encodeWithSelector(IGameModels.LogitsMismatch.selector, 1));
        claimHonestly(id);
    }

    function test_labelAndScoreMustFollowFromTheLogits() public {
        // A receipt whose logits are not those that its label and score belong to.
        TypedData.Receipt memory receipt = honestReceipt();
        for (uint256 output = 0; output < 3; output += 2) {
            bytes memory honest = outputs[output];
            uint256 place = output == 0 ? 8 : 4;
            outputs[output][place] = bytes1(uint8(outputs[output][place]) ^ 1);
            receipt.outputDigest = outputDigest();
            receipt.attempt += 1;
            bytes32 id = openBy(STRANGER, receipt, row);
            vm.expectRevert(abi.encodeWithSelector(IGameModels.LogitsMismatch.selector, output));
            claimHonestly(id);
            outputs[output] = honest;
        }
    }

    function test_claimShowsAllLogitsAndTheReceiptsOutputs() public {
        bytes32 id = open();
        logits.push(0);
        vm.expectRevert(abi.encodeWithSelector(IGameModels.WrongLength.selector, 4, 3));
        claimHonestly(id);
        logits.pop();
        outputs[1][0] = bytes1(uint8(outputs[1][0]) ^ 1);
        vm.expectPartialRevert(IGameModels.OutputMismatch.selector);
        claimHonestly(id);
    }

    function test_claimLeadsToTheLayers() public {
        bytes32 id = open();
        claimHonestly(id);
        IInferenceGame.Game memory state = game.gameOf(id);
        assertTrue(state.stage == IInferenceGame.Stage.Layers, "layers");
        assertEq(state.denied, roots[2]);
        assertEq(state.high, 2);
    }

    function test_deniedRootHalfwayLeadsToTheBlocksBeforeIt() public {
        bytes32 id = open();
        claimHonestly(id);
        propose(id, roots[1], bytes32(0));
        vm.expectEmit(address(game));
        emit IInferenceGame.Moved(id, STRANGER, IInferenceGame.Stage.Blocks, false, block.timestamp + MOVE);
        answer(id, false);
        IInferenceGame.Game memory state = game.gameOf(id);
        assertEq(state.high, 1);
        assertEq(state.denied, roots[1]);
        assertEq(state.level, 1);
    }

    function test_agreedRootHalfwayLeadsToTheOnlyBlockAfterIt() public {
        bytes32 id = open();
        claimHonestly(id);
        propose(id, roots[1], bytes32(0));
        answer(id, true);
        IInferenceGame.Game memory state = game.gameOf(id);
        assertTrue(state.stage == IInferenceGame.Stage.Opening, "one block");
        assertEq(state.low, 1);
        assertEq(state.agreed, roots[1]);
        assertEq(state.denied, roots[2]);
    }

    function test_nothingIsNoProposal() public {
        bytes32 id = open();
        claimHonestly(id);
        vm.expectRevert(IInferenceGame.NothingProposed.selector);
        propose(id, bytes32(0), roots[1]);
    }

    function test_childrenMustHashToTheDeniedNode() public {
        bytes32 id = open();
        claimHonestly(id);
        propose(id, roots[1], bytes32(0));
        answer(id, false);
        vm.expectPartialRevert(IInferenceGame.NotTheChildren.selector);
        propose(id, blocks[1], blocks[0]);
        propose(id, blocks[0], blocks[1]);
        answer(id, false);
        IInferenceGame.Game memory state = game.gameOf(id);
        assertEq(state.denied, blocks[0]);
        assertEq(state.index, 0);
    }

    function test_openedSumsMustScaleToTheDeniedBlock() public {
        bytes32 id = toOpening();
        int32[31] memory sums = _sums(".blockSums");
        // Below zero all is zero: another sum that scales to the same byte is as good, one that does not is refused.
        sums[0] += int32(1) << 20;
        vm.expectPartialRevert(IInferenceGame.SumsMismatch.selector);
        vm.prank(worker);
        game.openBlock(id, sums);
        openHonestly(id);
        IInferenceGame.Game memory state = game.gameOf(id);
        assertTrue(state.stage == IInferenceGame.Stage.Sums, "sums");
        assertEq(state.denied, partialSums[3]);
        assertEq(state.sumHigh, 3);
    }

    function test_openedSumsOfTheLastLayerAreTheLogitsThemselves() public {
        bytes32 id = open();
        claimHonestly(id);
        propose(id, roots[1], bytes32(0));
        answer(id, true);
        int32[31] memory sums = _sums(".lastSums");
        sums[1] -= 1;
        vm.expectPartialRevert(IInferenceGame.SumsMismatch.selector);
        vm.prank(worker);
        game.openBlock(id, sums);
        sums[1] += 1;
        vm.prank(worker);
        game.openBlock(id, sums);
        assertEq(game.gameOf(id).denied, lastPartialSums[2]);
    }

    function test_sumsAreHalvedDownToOneTile() public {
        bytes32 id = toProving();
        IInferenceGame.Game memory state = game.gameOf(id);
        assertTrue(state.stage == IInferenceGame.Stage.Proving, "proving");
        assertEq(state.sumLow, 1);
        assertEq(state.sumHigh, 2);
        assertEq(state.agreedSums, partialSums[1]);
        assertEq(state.denied, partialSums[2]);
    }

    function test_nobodyMovesForAnother() public {
        bytes32 id = open();
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.NotYourTurn.selector, STRANGER, worker));
        vm.prank(STRANGER);
        game.claim(id, logits, outputs);
        claimHonestly(id);
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.NotYourTurn.selector, STRANGER, worker));
        answer(id, true);
        propose(id, roots[1], bytes32(0));
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.NotYourTurn.selector, worker, STRANGER));
        propose(id, roots[1], bytes32(0));
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.NotYourTurn.selector, worker, STRANGER));
        vm.prank(worker);
        game.answer(id, true);
    }

    function test_movesBelongToTheirStage() public {
        bytes32 id = open();
        IInferenceGame.Stage claiming = IInferenceGame.Stage.Claiming;
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceGame.WrongStage.selector, claiming, IInferenceGame.Stage.Layers)
        );
        propose(id, roots[1], bytes32(0));
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceGame.WrongStage.selector, claiming, IInferenceGame.Stage.Opening)
        );
        openHonestly(id);
        IInferenceGame.TileEvidence memory evidence = evidenceOf(".middleTile");
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceGame.WrongStage.selector, claiming, IInferenceGame.Stage.Proving)
        );
        proveAs(worker, id, evidence);
        claimHonestly(id);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceGame.WrongStage.selector, IInferenceGame.Stage.Layers, claiming)
        );
        claimHonestly(id);
        vm.expectPartialRevert(IInferenceGame.WrongStage.selector);
        answer(keccak256("no game"), true);
    }

    function test_silentDefenderIsRefutedAndSlashed() public {
        bytes32 id = open();
        bytes32 digest = digestOf(honestReceipt());
        vm.warp(block.timestamp + MOVE + 1);
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.TooLate.selector, block.timestamp - 1));
        claimHonestly(id);
        vm.expectEmit(address(game));
        emit IInferenceGame.GameClosed(id, digest, IInferenceGame.Outcome.Refuted);
        vm.expectEmit(address(game));
        emit IInferenceGame.ReceiptRefuted(digest, worker, WORKER_BOND / 10);
        game.timeOut(id);
        assertEq(registry.stakeOf(worker), WORKER_BOND * 9 / 10);
        assertEq(registry.owedTo(STRANGER), WORKER_BOND / 10 * 3 / 10);
        assertEq(game.owedTo(STRANGER), GAME_BOND);
        assertTrue(game.isRefuted(digest), "refuted");
        game.collect(STRANGER);
        assertEq(token.balanceOf(STRANGER), GAME_BOND);
    }

    function test_silentChallengerLosesItsBond() public {
        bytes32 id = open();
        claimHonestly(id);
        propose(id, roots[1], bytes32(0));
        vm.warp(block.timestamp + MOVE + 1);
        vm.expectPartialRevert(IInferenceGame.TooLate.selector);
        answer(id, true);
        game.timeOut(id);
        assertTrue(game.gameOf(id).outcome == IInferenceGame.Outcome.Upheld, "upheld");
        assertEq(registry.stakeOf(worker), WORKER_BOND);
        assertEq(game.owedTo(worker), GAME_BOND * 3 / 10);
        assertEq(game.pendingBurn(), GAME_BOND * 7 / 10);
        assertTrue(!game.isRefuted(digestOf(honestReceipt())), "not refuted");
    }

    function test_nobodyIsTimedOutBeforeTheDeadlineOrTwice() public {
        bytes32 id = open();
        vm.warp(block.timestamp + MOVE);
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.TooEarly.selector, block.timestamp));
        game.timeOut(id);
        vm.warp(block.timestamp + 1);
        game.timeOut(id);
        vm.expectPartialRevert(IInferenceGame.WrongStage.selector);
        game.timeOut(id);
        vm.expectPartialRevert(IInferenceGame.WrongStage.selector);
        game.timeOut(keccak256("no game"));
    }

    function test_eachMoveStartsTheClockAnew() public {
        bytes32 id = open();
        vm.warp(block.timestamp + MOVE);
        claimHonestly(id);
        assertEq(game.gameOf(id).deadline, block.timestamp + MOVE);
        vm.warp(block.timestamp + MOVE);
        propose(id, roots[1], bytes32(0));
        assertEq(game.gameOf(id).deadline, block.timestamp + MOVE);
    }

    function test_aReceiptIsPunishedOnceAndEachBondGoesItsOwnWay() public {
        bytes32 first = open();
        bytes32 second = openBy(REQUESTER, honestReceipt(), row);
        vm.warp(block.timestamp + MOVE + 1);
        game.timeOut(first);
        game.timeOut(second);
        assertEq(registry.stakeOf(worker), WORKER_BOND * 9 / 10);
        assertEq(game.owedTo(STRANGER), GAME_BOND);
        assertEq(game.owedTo(REQUESTER), GAME_BOND);
        TypedData.Receipt memory receipt = honestReceipt();
        bytes memory signature = signReceipt(receipt);
        vm.expectRevert(abi.encodeWithSelector(IInferenceGame.ReceiptIsRefuted.selector, digestOf(receipt)));
        game.open(openingOf(receipt, signature, 0, rows));
    }

    function test_aStakeThatIsGoneKeepsNoReceiptFromBeingRefuted() public {
        bytes32 id = open();
        registry.grantRole(registry.SLASHER_ROLE(), address(this));
        registry.slash(worker, INodeRegistry.Role.Worker, 10_000, keccak256("another fault"), address(0));
        vm.warp(block.timestamp + MOVE + 1);
        game.timeOut(id);
        assertTrue(game.isRefuted(digestOf(honestReceipt())), "refuted");
        assertEq(game.owedTo(STRANGER), GAME_BOND);
    }

    function test_theLastUnitOfAStakeIsTakenToo() public {
        registry.grantRole(registry.SLASHER_ROLE(), address(this));
        game.setParameters(IInferenceGame.Parameters(GAME_BOND, MOVE, 10_000, DEFENDER_BPS));
        bytes32 id = open();
        while (registry.stakeOf(worker) > 1) {
            registry.slash(worker, INodeRegistry.Role.Worker, 9_999, keccak256("another fault"), address(0));
        }
        vm.warp(block.timestamp + MOVE + 1);
        game.timeOut(id);
        assertEq(registry.stakeOf(worker), 0);
    }

    /// @dev As canonical.ts writes them.
    function outputDigest() internal view returns (bytes32) {
        bytes memory label = bytes.concat(_head("label", "int64"), _word(1), _word(2), _word(16), outputs[0]);
        bytes memory all = bytes.concat(_head("logits", "int32"), _word(2), _word(2), _word(3));
        all = bytes.concat(label, all, _word(24), outputs[1]);
        bytes memory score = bytes.concat(_head("score", "int32"), _word(1), _word(2), _word(8), outputs[2]);
        return sha256(bytes.concat("inferium/tensors/v1", _word(3), all, score));
    }

    function _head(string memory name, string memory dtype) private pure returns (bytes memory) {
        bytes memory first = bytes.concat(_word(uint8(bytes(name).length)), bytes(name));
        return bytes.concat(first, _word(uint8(bytes(dtype).length)), bytes(dtype));
    }

    function _word(uint8 value) private pure returns (bytes memory) {
        return bytes.concat(bytes1(value), new bytes(7));
    }
}
