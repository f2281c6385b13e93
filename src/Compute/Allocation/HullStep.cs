namespace Concertina.Compute.Allocation;

/// <summary>One point of a session's lower hull, reached from the point before it.</summary>
/// <param name="Rung">Rung of the point.</param>
/// <param name="FreedBytes">Bytes that the step from the point before frees; 0 for the first.</param>
/// <param name="CostPerByte">What each of them costs; it rises along the hull.</param>
internal readonly record struct HullStep(int Rung, double FreedBytes, double CostPerByte);
