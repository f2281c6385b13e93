using System.Globalization;

namespace Orleans;

/// <summary>How long a caller of this method waits before it gets a <see cref="TimeoutException"/>.</summary>
/// <param name="timeout">A time span, for example <c>00:00:05</c>.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ResponseTimeoutAttribute(string timeout) : Attribute
{
    /// <summary>How long a caller waits.</summary>
    public TimeSpan? Timeout { get; init; } = TimeSpan.Parse(timeout, CultureInfo.InvariantCulture);
}
