namespace Orleans.Runtime;

/// <summary>The silo of this process.</summary>
public interface ILocalSiloDetails
{
    /// <summary>Name of the silo.</summary>
    string Name { get; }

    /// <summary>Name of the cluster.</summary>
    string ClusterId { get; }

    /// <summary>Name of the machine.</summary>
    string DnsHostName { get; }

    /// <summary>Address of the silo.</summary>
    SiloAddress SiloAddress { get; }

    /// <summary>Address for clients outside of the cluster.</summary>
    SiloAddress GatewayAddress { get; }
}
