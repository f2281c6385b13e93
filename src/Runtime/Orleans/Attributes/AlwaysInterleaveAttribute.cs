namespace Orleans.Concurrency;

/// <summary>The method starts at once, between the awaits of whatever else runs in the grain.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class AlwaysInterleaveAttribute : Attribute;
