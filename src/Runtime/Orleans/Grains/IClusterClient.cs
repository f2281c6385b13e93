namespace Orleans;

/// <summary>The door to the grains for code outside of grains, such as an HTTP front end in the same process.</summary>
public interface IClusterClient : IGrainFactory
{
    /// <summary>Services of the process.</summary>
    IServiceProvider ServiceProvider { get; }
}
