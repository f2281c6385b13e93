using System.Globalization;

namespace Orleans;

/// <summary>How long an activation without work stays; at least one minute. The parts add up.</summary>
[AttributeUsage(AttributeTargets.Class)]
public class CollectionAgeLimitAttribute : Attribute
{
    /// <summary>The shortest age that is honoured.</summary>
    public static readonly TimeSpan MinAgeLimit = TimeSpan.FromMinutes(1);

    private readonly TimeSpan? _period;

    /// <summary>An age given by properties.</summary>
    public CollectionAgeLimitAttribute()
    {
    }

    /// <summary>An age given as a time span.</summary>
    /// <param name="inactivityPeriod">For example <c>00:30:00</c>.</param>
    public CollectionAgeLimitAttribute(string inactivityPeriod)
    {
        _period = TimeSpan.Parse(inactivityPeriod, CultureInfo.InvariantCulture);
    }

    /// <summary>Days of the age.</summary>
    public double Days { get; set; }

    /// <summary>Hours of the age.</summary>
    public double Hours { get; set; }

    /// <summary>Minutes of the age.</summary>
    public double Minutes { get; set; }

    /// <summary>Never collected.</summary>
    public bool AlwaysActive { get; set; }

    /// <summary>The age in effect.</summary>
    public TimeSpan AgeLimit
    {
        get
        {
            TimeSpan sum = AlwaysActive
                ? TimeSpan.FromDays(short.MaxValue)
                : _period ?? TimeSpan.FromDays(Days) + TimeSpan.FromHours(Hours) + TimeSpan.FromMinutes(Minutes);
            return sum < MinAgeLimit ? MinAgeLimit : sum;
        }
    }
}
