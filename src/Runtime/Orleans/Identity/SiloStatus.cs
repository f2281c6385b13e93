namespace Orleans.Runtime;

/// <summary>Where a silo is in its life.</summary>
[GenerateSerializer]
public enum SiloStatus
{
    /// <summary>Unknown.</summary>
    None = 0,

    /// <summary>Constructed.</summary>
    Created = 1,

    /// <summary>Joins the cluster.</summary>
    Joining = 2,

    /// <summary>Serves grains.</summary>
    Active = 3,

    /// <summary>Ends its activations.</summary>
    ShuttingDown = 4,

    /// <summary>Stops without waiting.</summary>
    Stopping = 5,

    /// <summary>Gone.</summary>
    Dead = 6,
}
