// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What penalties and fees bring in, pulled
/// @notice A penalty must take effect whatever the token does: the public IFR token can be paused and refuses whom it has
/// blacklisted. So a slash only writes down who gets what; the tokens move when somebody asks for them.
interface IProceeds {
    event Collected(address indexed account, uint256 amount);
    event Burnt(uint256 amount);

    error NothingOwed(address account);
    error NothingToBurn();

    /// @notice Pay `account` what it is owed. Anybody may call.
    function collect(address account) external;

    /// @notice Burn what penalties have taken; where the token cannot be burnt, send it where nobody can reach it.
    function burnPending() external;

    function owedTo(address account) external view returns (uint256);

    function pendingBurn() external view returns (uint256);
}
