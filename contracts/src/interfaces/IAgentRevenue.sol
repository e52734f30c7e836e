// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What hosted agents earn, and who gets how much of it
/// @notice Each payment is split between the agent's creator, its host, the validators of the current epoch (their
/// transaction fee) and the treasury, and pulled by each (IProceeds). The validators of an epoch share its pot equally.
/// What does not divide goes to the creator: at most one base unit for each other recipient.
interface IAgentRevenue {
    struct Agent {
        address creator;
        address host;
    }

    /// @notice Shares in basis points; they add up to 10,000. Validators and treasury get at most 3,000 each.
    struct Split {
        uint16 creatorBps;
        uint16 hostBps;
        uint16 validatorsBps;
        uint16 treasuryBps;
    }

    event SplitChanged(Split split);
    event TreasuryChanged(address treasury);
    event AgentRegistered(bytes32 indexed agentId, address indexed creator, address host);
    event HostChanged(bytes32 indexed agentId, address host);
    event Paid(bytes32 indexed agentId, address indexed from, uint256 amount, uint64 epoch);
    event PotShared(uint64 indexed epoch, address indexed validator, uint256 amount);

    error InvalidAmount();
    error InvalidHost();
    error InvalidSplit();
    error InvalidTreasury();
    error UnknownAgent(bytes32 agentId);
    error AgentExists(bytes32 agentId);
    error NotCreator(address caller, address creator);
    error NotAValidator(address validator, uint64 epoch);
    error NothingInPot(uint64 epoch);

    /// @notice Governance only. Payments made before keep their split.
    function setSplit(Split calldata split_) external;

    /// @notice Governance only.
    function setTreasury(address treasury_) external;

    /// @notice Register an agent of the caller.
    /// @return agentId keccak256(abi.encode(creator, salt))
    function register(bytes32 salt, address host) external returns (bytes32 agentId);

    /// @notice Move the agent to another host. Creator only.
    function setHost(bytes32 agentId, address host) external;

    /// @notice Pay an agent, pulled from the caller.
    function pay(bytes32 agentId, uint256 amount) external;

    /// @notice Credit a validator of `epoch` its share of the epoch's pot, less what it had of it; paid by `collect` to its
    /// payout address. Anybody may call.
    function sharePot(uint64 epoch, address validator) external;

    function agentOf(bytes32 agentId) external view returns (Agent memory);

    function potOf(uint64 epoch) external view returns (uint256);

    function split() external view returns (Split memory);

    function treasury() external view returns (address);
}
